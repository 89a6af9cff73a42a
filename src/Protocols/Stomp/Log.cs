using Microsoft.Extensions.Logging;

namespace Pillarbox.Protocols.Stomp;

/// <summary>What the STOMP engine reports.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "STOMP login from {Peer} failed: {Reason}")]
    public static partial void LoginFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "STOMP peer {Peer} is refused: {Reason}")]
    public static partial void PeerFault(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "STOMP connection from {Peer} ended by a fault of the node")]
    public static partial void OwnFault(ILogger logger, Exception fault, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "STOMP connection from {Peer} ended: {Reason}")]
    public static partial void TimedOut(ILogger logger, string peer, string reason);
}
