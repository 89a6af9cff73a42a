namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>What is to be done when the broker tells that something is on disk.</summary>
internal enum TagKind : byte
{
    None,

    /// <summary>PUBACK.</summary>
    PubAck,

    /// <summary>PUBREC of a session that does not outlive its connection.</summary>
    PubRec,

    /// <summary>Part of the pass's transaction: only a refusal counts.</summary>
    Staged,

    /// <summary>One part of a SUBACK or UNSUBACK.</summary>
    SubAck,

    /// <summary>PUBCOMP.</summary>
    PubComp,

    /// <summary>PUBREC with the reason why a message was not taken: its packet identifier is forgotten.</summary>
    Refuse,

    /// <summary>A packet identifier towards the client is free.</summary>
    Free,

    /// <summary>It is on disk under which packet identifier a message goes to the client: it may be sent.</summary>
    Send,

    /// <summary>PUBREL: a message of QoS 2 to the client is gone.</summary>
    Release,

    /// <summary>The same of one that an earlier connection has sent.</summary>
    Gone,

    /// <summary>What an earlier connection has kept is on disk: messages may flow.</summary>
    Resumed,

    /// <summary>A message of a shared subscription has left the session's own queue.</summary>
    Taken,
}

/// <summary>A tag of the broker's: a kind and a packet identifier.</summary>
internal readonly record struct Tag(TagKind Kind, int Number)
{
    public ulong Value => ((ulong)Kind << 32) | (uint)Number;

    public static Tag From(ulong value) => new((TagKind)(value >> 32), (int)(uint)value);
}
