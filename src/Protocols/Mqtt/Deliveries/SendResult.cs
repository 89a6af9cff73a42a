namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>How an attempt to send went.</summary>
internal enum SendResult
{
    Done,

    /// <summary>It waits for answers of the client, or for those before it.</summary>
    Blocked,

    /// <summary>It is sent when its identifier is on disk; the next can be looked at.</summary>
    Storing,

    /// <summary>It is to be read from disk first.</summary>
    NeedsRead,
}
