using Pillarbox.Broker;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Incoming;

/// <summary>
/// The messages of QoS 1 and 2 from the client that are not answered to their end (MQTT 5.0 §4.3, §4.9). Of QoS 2 it
/// knows how far each packet identifier is, so that none is taken twice. Owned by the connection.
/// </summary>
/// <param name="state">What is kept of them; null: they end with the connection.</param>
/// <param name="output">Where the answers go.</param>
/// <param name="end">For clients that cannot be told that a message was not taken.</param>
/// <param name="retains">Those that are retained too.</param>
/// <param name="most">How many a client that was told so may have.</param>
internal sealed class UnansweredPublishes(
    SessionState? state, ClientOutput output, SessionEnd end, RetainRequests retains, int most)
{
    private Dictionary<ushort, IncomingState>? _incoming;

    // Why messages were refused whose identifiers are not forgotten yet.
    private Dictionary<ushort, BrokerException>? _refusals;
    private HashSet<ushort>? _unrouted;

    // Those of earlier connections: a client's quota begins anew with each (§4.9).
    private HashSet<ushort>? _earlier;
    private int _count;

    /// <summary>A message of QoS 2.</summary>
    private enum IncomingState : byte
    {
        /// <summary>It goes to disk.</summary>
        Storing,

        /// <summary>PUBREC is sent.</summary>
        Stored,

        /// <summary>PUBREL came; PUBCOMP goes out when that is on disk.</summary>
        Completing,

        /// <summary>The broker refused it.</summary>
        Refused,
    }

    /// <summary>Whether a message may be taken; false: it is known already.</summary>
    public bool MayCome(in PublishPacket packet)
    {
        if (packet.Qos == 2 && _incoming?.TryGetValue(packet.PacketId, out IncomingState known) == true)
        {
            if (known == IncomingState.Stored)
            {
                output.Answer(PacketType.PubRec, packet.PacketId);
            }

            return false;
        }

        if (output.TellsReasons && _count >= most)
        {
            throw new MqttException(ReasonCode.ReceiveMaximumExceeded, "more messages are unanswered than are taken");
        }

        return true;
    }

    /// <summary>One goes to the broker.</summary>
    public void Begin(int qos, ushort id)
    {
        _count++;
        if (qos == 2)
        {
            (_incoming ??= [])[id] = IncomingState.Storing;
        }
    }

    /// <summary>One does not go to the broker, for nobody may publish so. Where there is no answer nothing is said, as
    /// of any that the broker refuses.</summary>
    public void Refuse(in PublishPacket packet, ReasonCode reason, string text)
    {
        if (packet.Qos > 0 && !output.TellsReasons && !output.AcknowledgesForbidden)
        {
            // There is no way to say that a message was not taken but to end (3.1.1 [MQTT-3.3.5-2]).
            throw new MqttException(reason, text);
        }

        if (packet.Qos > 0)
        {
            output.Answer(packet.Qos == 1 ? PacketType.PubAck : PacketType.PubRec, packet.PacketId, reason, text);
        }
    }

    /// <summary>One that began cannot be retained, and so it does not go to the broker.</summary>
    public void OnNoRoom(int qos, ushort id)
    {
        if (qos > 0)
        {
            var refusal = new BrokerException(
                BrokerError.ResourceLimitExceeded, "no more retained messages are taken");
            OnStored(id, qos == 1 ? PacketType.PubAck : PacketType.PubRec, refusal);
        }
    }

    /// <summary>An earlier connection has got one of QoS 2, and has not completed it.</summary>
    public void Resume(ushort id)
    {
        (_incoming ??= [])[id] = IncomingState.Stored;
        (_earlier ??= []).Add(id);
    }

    /// <summary>The broker has one, or refuses it.</summary>
    public void OnStored(ushort id, PacketType type, BrokerException? error, bool isUnrouted = false)
    {
        if (retains.IsAwaited(id, ref error))
        {
            return;
        }

        _count -= type == PacketType.PubAck ? 1 : 0;
        if (IsForbidden(error) && output.AcknowledgesForbidden)
        {
            error = null;
        }

        if (error is not null && !output.TellsReasons)
        {
            // There is no way to say that a message was not taken but to end.
            end.With(error);
            return;
        }

        if (type == PacketType.PubRec && error is null)
        {
            _incoming![id] = IncomingState.Stored;
        }
        else if (type == PacketType.PubRec)
        {
            if (IsForgotten(id, error!))
            {
                return;
            }

            _incoming!.Remove(id);
            _count--;
        }

        ReasonCode good = isUnrouted ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
        output.Answer(type, id, error is null ? good : BrokerErrors.ToReason(error), error?.Message);
    }

    /// <summary>Those are on disk that were to be retained.</summary>
    public void HearRetained()
    {
        while (retains.TryTakeDone(out Tag tag, out BrokerException? error))
        {
            OnStored((ushort)tag.Number, tag.Kind == TagKind.PubAck ? PacketType.PubAck : PacketType.PubRec, error);
        }
    }

    /// <summary>Nobody listens to one that is part of a transaction.</summary>
    public void OnUnrouted(ushort id) => (_unrouted ??= []).Add(id);

    /// <summary>
    /// One that is part of a transaction is not taken, and its identifier, which is kept with the rest of the
    /// transaction, is to go again. The client hears of it then: it may use the identifier anew from its answer on.
    /// </summary>
    public void OnRefused(ushort id, BrokerException error)
    {
        if (IsForbidden(error) && output.AcknowledgesForbidden)
        {
            return;
        }

        if (!output.TellsReasons)
        {
            end.With(error);
            return;
        }

        _incoming![id] = IncomingState.Refused;
        (_refusals ??= [])[id] = error;
    }

    /// <summary>The transaction that one is part of has ended.</summary>
    public void OnDischarged(ushort id, BrokerException? error)
    {
        bool isUnrouted = _unrouted?.Remove(id) == true;
        if (error is not null)
        {
            state!.ForgetIncoming(id);
        }

        if (_refusals?.Remove(id, out BrokerException? refusal) == true)
        {
            error ??= refusal;
        }

        OnStored(id, PacketType.PubRec, error, isUnrouted);
    }

    /// <summary>The identifier of one that was refused is on the disk no longer.</summary>
    public void OnRefusedForgotten(ushort id)
    {
        _refusals!.Remove(id, out BrokerException? error);
        OnStored(id, PacketType.PubRec, error);
    }

    private static bool IsForbidden(BrokerException? error) => error?.Error == BrokerError.Unauthorized;

    // True: what the disk has of the identifier is to go first; the answer comes then.
    private bool IsForgotten(ushort id, BrokerException error)
    {
        if (state?.Remove(StateKind.Incoming, id, new Tag(TagKind.Refuse, id).Value) != true)
        {
            return false;
        }

        _incoming![id] = IncomingState.Refused;
        (_refusals ??= [])[id] = error;
        return true;
    }

    /// <summary>PUBREL.</summary>
    public void OnPubRel(AckPacket packet)
    {
        ushort id = packet.PacketId;
        if (_incoming is null || !_incoming.TryGetValue(id, out IncomingState known))
        {
            output.Answer(PacketType.PubComp, id, ReasonCode.PacketIdentifierNotFound);
            return;
        }

        if (known != IncomingState.Stored)
        {
            return;
        }

        if (state is null)
        {
            Complete(id);
            return;
        }

        _incoming[id] = IncomingState.Completing;
        if (!state.Remove(StateKind.Incoming, id, new Tag(TagKind.PubComp, id).Value))
        {
            Complete(id);
        }
    }

    /// <summary>PUBCOMP: the identifier is on the disk no longer.</summary>
    public void Complete(ushort id)
    {
        _incoming!.Remove(id);
        _count -= _earlier?.Remove(id) == true ? 0 : 1;
        output.Answer(PacketType.PubComp, id);
    }
}
