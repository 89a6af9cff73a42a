using Microsoft.Extensions.Logging;

namespace Pillarbox.Protocols.Amqp;

/// <summary>What the AMQP engine reports.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "AMQP login from {Peer} failed: {Reason}")]
    public static partial void LoginFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "AMQP peer {Peer} is refused: {Condition}: {Description}")]
    public static partial void PeerFault(ILogger logger, string peer, string condition, string description);

    [LoggerMessage(Level = LogLevel.Error, Message = "AMQP connection from {Peer} ended by a fault of the node")]
    public static partial void OwnFault(ILogger logger, Exception fault, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "AMQP connection from {Peer} ended: {Reason}")]
    public static partial void TimedOut(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "AMQP connection from {Peer} is denied by policy: {Reason}")]
    public static partial void PolicyDenied(ILogger logger, string peer, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Links to {Pattern} cannot be told to router {Router}: {Reason}")]
    public static partial void LinkRouteUnknown(ILogger logger, string pattern, string router, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "TCP connection {Name} broke off: {Reason}")]
    public static partial void TcpEnded(ILogger logger, string name, string reason);
}
