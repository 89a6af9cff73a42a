using Microsoft.Extensions.Logging;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>What the OpenWire engine reports.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "OpenWire login from {Peer} failed: {Reason}")]
    public static partial void LoginFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "OpenWire peer {Peer} is refused: {Description}")]
    public static partial void PeerFault(ILogger logger, string peer, string description);

    [LoggerMessage(Level = LogLevel.Error, Message = "OpenWire connection from {Peer} ended by a fault of the node")]
    public static partial void OwnFault(ILogger logger, Exception fault, string peer);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Queue '{Queue}' is left out of wildcard consumer {Consumer}: {Reason}")]
    public static partial void QueueLeftOut(ILogger logger, string queue, string consumer, string reason);

    [LoggerMessage(
        Level = LogLevel.Information, Message = "OpenWire client '{ClientId}' is not told of queues: {Reason}")]
    public static partial void QueuesNotTold(ILogger logger, string clientId, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "OpenWire connection from {Peer} ended: {Reason}")]
    public static partial void TimedOut(ILogger logger, string peer, string reason);
}
