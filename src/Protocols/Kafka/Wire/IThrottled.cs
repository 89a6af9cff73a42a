namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>An answer that can say for how long the client is held back. Wire.Generator puts it on every message with
/// that field.</summary>
internal interface IThrottled
{
    /// <summary>For how long the connection is not read, in milliseconds.</summary>
    int ThrottleTimeMs { get; set; }
}
