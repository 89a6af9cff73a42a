using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>How far a message of QoS 1 or 2 to the client is.</summary>
internal enum OutgoingState : byte
{
    /// <summary>Its identifier goes to disk; PUBLISH goes out when that is there.</summary>
    Storing,

    /// <summary>PUBLISH may go out.</summary>
    Stored,

    /// <summary>PUBLISH is sent.</summary>
    Sent,

    /// <summary>PUBREC came, or is not awaited; PUBREL goes out when it is on disk that the message is gone.</summary>
    Releasing,

    /// <summary>PUBREL is sent.</summary>
    Released,

    /// <summary>PUBCOMP came; the identifier is free when that is on disk.</summary>
    Completing,
}

/// <summary>A message on its way to the client.</summary>
internal struct Outgoing
{
    public Delivery Delivery;
    public OutgoingState State;
    public byte Qos;
}

/// <summary>
/// The packet identifiers towards the client (MQTT 5.0 §2.2.1, §4.4, §4.9). An identifier follows from the message's
/// id, which lasts: whenever a message of QoS 1 is sent again, also after a crash, it bears the one that the client
/// knows; while that is in use it waits. Of one of QoS 2 the session's state says what it bears. Owned by the
/// connection.
/// </summary>
/// <param name="max">Messages under way at most.</param>
/// <param name="idMax">The highest identifier.</param>
internal sealed class OutgoingWindow(int max, ushort idMax)
{
    // A record of the log is longer than 32 bytes, so neighbours have identifiers of their own.
    private const int RecordBytesShift = 5;

    // More than a window, and a prime.
    private const ulong StreamDistance = 10_007;

    private Dictionary<ushort, Outgoing>? _byId;

    public int Count => _byId?.Count ?? 0;

    public bool IsFull => Count >= max;

    /// <summary>The next message waits: for an answer of the client, or for those before it. Whatever makes room says
    /// that it may be tried again.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>The identifier of a message. Records of a stream are counted one by one, each stream from somewhere
    /// else on.</summary>
    public ushort IdOf(in Delivery delivery) => (ushort)((delivery.IsRecord
        ? unchecked((ulong)delivery.MessageId + (ulong)delivery.QueueNumber * StreamDistance)
        : (ulong)delivery.MessageId >> RecordBytesShift) % idMax + 1);

    /// <summary>Whether the identifier is free.</summary>
    public bool IsFree(ushort id) => _byId?.ContainsKey(id) != true;

    /// <summary>The first from an identifier on that is free, also of those that the client may hold; 0: none is.
    /// </summary>
    public ushort FreeFrom(ushort id, SessionState held)
    {
        for (int looks = 0; looks < idMax; looks++)
        {
            if (IsFree(id) && !held.IsSent(id))
            {
                return id;
            }

            id = (ushort)(id % idMax + 1);
        }

        return 0;
    }

    public bool TryGet(ushort id, out Outgoing outgoing)
    {
        outgoing = default;
        return _byId?.TryGetValue(id, out outgoing) == true;
    }

    public void Set(ushort id, in Outgoing outgoing) => (_byId ??= [])[id] = outgoing;

    /// <summary>The identifier is free, and what waits may be tried again.</summary>
    public bool Remove(ushort id, out Outgoing outgoing)
    {
        outgoing = default;
        IsBlocked = false;
        return _byId?.Remove(id, out outgoing) == true;
    }

    /// <summary>The identifiers in use.</summary>
    public IReadOnlyCollection<ushort> Ids => _byId?.Keys ?? (IReadOnlyCollection<ushort>)[];
}
