using Microsoft.Extensions.Logging;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>What the MQTT engine reports.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "MQTT login from {Peer} failed: {Reason}")]
    public static partial void LoginFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "MQTT peer {Peer} is refused: {Code}: {Reason}")]
    public static partial void PeerFault(ILogger logger, string peer, ReasonCode code, string reason);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The connection of MQTT client {Client} is ended: {Code}: {Reason}")]
    public static partial void SessionEnded(ILogger logger, string client, ReasonCode code, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "MQTT connection from {Peer} ended by a fault of the node")]
    public static partial void OwnFault(ILogger logger, Exception fault, string peer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "MQTT will of client {Client} was not published: {Reason}")]
    public static partial void WillRefused(ILogger logger, string client, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A message of a shared subscription cannot go to MQTT client {Client}, whose session takes it not: "
            + "{Reason}")]
    public static partial void NotTakenOver(ILogger logger, string client, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The retained message of topic {Topic} does not come to MQTT client {Client}, whose session takes it "
            + "not: {Reason}")]
    public static partial void RetainedNotSent(ILogger logger, string client, string topic, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Retained messages: {Reason}")]
    public static partial void RetainedTrouble(ILogger logger, string reason);
}
