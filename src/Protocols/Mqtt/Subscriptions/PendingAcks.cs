using Pillarbox.Broker;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Subscriptions;

/// <summary>A SUBACK or UNSUBACK in the making: it waits until what it says is on disk.</summary>
/// <param name="type">Which of both.</param>
/// <param name="packetId">Of the request.</param>
/// <param name="number">By which the broker tells of its parts.</param>
internal sealed class PendingAck(PacketType type, ushort packetId, int number)
{
    private readonly List<byte> _reasons = [];

    public int Number => number;

    /// <summary>Parts that are not on disk yet.</summary>
    public int Awaited { get; set; }

    /// <summary>Refusals that were said at once, and are to be told by the broker still.</summary>
    public int Refused { get; set; }

    /// <summary>What the broker is to tell each part with.</summary>
    public ulong Tag => new Tag(TagKind.SubAck, number).Value;

    public void Add(ReasonCode reason) => _reasons.Add((byte)reason);

    public SubAckPacket ToPacket() => new(type, packetId, _reasons.ToArray());
}

/// <summary>The answers to SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 §3.9, §3.11). Owned by the connection.</summary>
internal sealed class PendingAcks(ClientOutput output, SessionEnd end)
{
    private Dictionary<int, PendingAck>? _waiting;
    private int _last;

    /// <summary>A request came.</summary>
    public PendingAck Begin(PacketType type, ushort packetId) => new(type, packetId, ++_last);

    /// <summary>A part of an UNSUBSCRIBE is refused: the reason that its answer has for that. Without reasons it
    /// would say the contrary, so that there is no answer, and the connection ends.</summary>
    public ReasonCode Refuse(BrokerException refusal)
    {
        if (!output.TellsReasons)
        {
            end.With(refusal);
        }

        return ReasonTable.For(PacketType.UnsubAck, BrokerErrors.ToReason(refusal));
    }

    /// <summary>What was done of a SUBSCRIBE cannot be undone: what is here is not what is on disk.</summary>
    public void Fail(BrokerException refusal) => end.With(refusal);

    /// <summary>All of the request is done, but for what waits for the disk.</summary>
    public void Finish(PendingAck ack)
    {
        if (end.Cause is not null)
        {
            return;
        }

        if (ack.Awaited == 0)
        {
            Write(ack);
        }
        else
        {
            (_waiting ??= []).Add(ack.Number, ack);
        }
    }

    /// <summary>A part of an answer is on disk, or cannot be.</summary>
    public void OnKept(int number, BrokerException? error)
    {
        if (_waiting is null || !_waiting.TryGetValue(number, out PendingAck? ack))
        {
            return;
        }

        if (error is not null && ack.Refused > 0)
        {
            // It is in the answer.
            ack.Refused--;
        }
        else if (error is not null)
        {
            end.With(error);
        }
        else if (--ack.Awaited == 0)
        {
            _waiting.Remove(number);
            Write(ack);
        }
    }

    private void Write(PendingAck ack)
    {
        if (!output.TryAnswer(ack.ToPacket()))
        {
            end.With(ReasonCode.PacketTooLarge, "the answer has more reason codes than the client takes");
        }
    }
}
