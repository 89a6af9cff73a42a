using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>
/// What becomes of a message to the client once it is sent, or is not (MQTT 5.0 §4.3): the client's answers settle it,
/// and PUBREL goes out when it is on disk that it is gone. When a client comes back, a message that is there still is
/// sent again; of one that is gone, whatever took it (PUBREC, its time, an operator, a stream's retention), the
/// identifier is released, so that no other message is ever taken for it. Owned by the connection.
/// </summary>
internal sealed class OutgoingAnswers(
    SessionQueues queues, OutgoingWindow window, ConsumerCredit credit, ClientOutput output)
{
    private readonly BrokerClient _client = queues.Client;
    private readonly SessionState? _state = queues.State;

    /// <summary>A message is done with.</summary>
    public void Settle(in Delivery delivery)
    {
        _client.Settle(delivery, Outcome.Accepted);
        credit.Owe(delivery.Consumer);
    }

    /// <summary>A message is sent, and an answer is due.</summary>
    public void Await(in Delivery delivery, in OutgoingPublish sent) => window.Set(sent.PacketId, new Outgoing
    {
        Delivery = delivery,
        Qos = (byte)sent.Qos,
        State = OutgoingState.Sent,
    });

    /// <summary>A message is not sent, or not again. The client may hold it under an identifier.</summary>
    public void Drop(in Delivery delivery)
    {
        if (_state?.TryGetSent(delivery, out ushort id) != true)
        {
            Settle(delivery);
            return;
        }

        window.Set(id, new Outgoing { Delivery = delivery, Qos = 2, State = OutgoingState.Releasing });
        _client.Settle(delivery, Outcome.Accepted, new Tag(TagKind.Release, id).Value);
    }

    /// <summary>A message is damaged, or cannot be had as an MQTT message.</summary>
    public void GiveUp(in Delivery delivery, Exception fault)
    {
        credit.Owe(delivery.Consumer);
        if (fault is ConversionException)
        {
            _client.Settle(delivery, new Outcome(OutcomeKind.Rejected, Reason: fault.Message));
        }
        else
        {
            _client.Quarantine(delivery, fault.Message);
        }

        if (_state?.TryGetSent(delivery, out ushort id) == true)
        {
            ReleaseUnsent(id);
        }
    }

    /// <summary>PUBACK, PUBREC or PUBCOMP.</summary>
    public void OnAnswer(AckPacket packet)
    {
        bool isKnown = window.TryGet(packet.PacketId, out Outgoing outgoing);
        switch (packet.Type)
        {
            case PacketType.PubAck when isKnown && outgoing.Qos == 1:
                Finish(packet.PacketId);
                break;
            case PacketType.PubRec:
                OnPubRec(packet, isKnown, outgoing);
                break;
            case PacketType.PubComp when isKnown && outgoing.State == OutgoingState.Released:
                OnPubComp(packet.PacketId, outgoing);
                break;
        }
    }

    /// <summary>It is on disk that the client has the message.</summary>
    public void OnReleased(ushort id)
    {
        if (window.TryGet(id, out Outgoing outgoing))
        {
            credit.Owe(outgoing.Delivery.Consumer);
            outgoing.State = OutgoingState.Released;
            window.Set(id, outgoing);
            output.Answer(PacketType.PubRel, id);
        }
    }

    /// <summary>The message that an earlier connection has sent is gone.</summary>
    public void OnGone(ushort id)
    {
        if (window.IsFree(id))
        {
            ReleaseUnsent(id);
        }
    }

    /// <summary>The client shall release an identifier of whose message nothing is known.</summary>
    public void ReleaseUnsent(ushort id)
    {
        window.Set(id, new Outgoing { Qos = 2, State = OutgoingState.Released });
        output.Answer(PacketType.PubRel, id);
    }

    /// <summary>The identifier is on the disk no longer.</summary>
    public void Free(ushort id) => window.Remove(id, out _);

    /// <summary>Without a session that goes on, what a member of a shared subscription was sent once and did not answer
    /// ends with it (§4.8.2); null: of all of them.</summary>
    public void EndUnanswered(Subscription? shared)
    {
        foreach (ushort id in window.Ids)
        {
            if (window.TryGet(id, out Outgoing outgoing)
                && outgoing is { Qos: 2, State: OutgoingState.Sent }
                && outgoing.Delivery.Consumer.Tag is Subscription { Group: not null }
                && (shared is null || ReferenceEquals(outgoing.Delivery.Consumer.Tag, shared)))
            {
                _client.Settle(outgoing.Delivery, Outcome.Accepted);
            }
        }
    }

    /// <summary>What the client may have got goes back as begun: it does not expire (§4.3.3).</summary>
    public void GiveBackSent()
    {
        foreach (ushort id in _state is null ? [] : window.Ids)
        {
            if (window.TryGet(id, out Outgoing outgoing) && outgoing is { Qos: 2, State: OutgoingState.Sent })
            {
                _client.Settle(outgoing.Delivery, Outcome.Released with { Begun = true });
            }
        }
    }

    /// <summary>Those of QoS 1 that are sent and not answered.</summary>
    public ushort[] SentOnce() =>
        [.. window.Ids.Where(id => window.TryGet(id, out Outgoing outgoing) && outgoing.Qos == 1)];

    private void OnPubRec(AckPacket packet, bool isKnown, Outgoing outgoing)
    {
        ushort id = packet.PacketId;
        if (!isKnown || outgoing.Qos != 2)
        {
            output.Answer(PacketType.PubRel, id, ReasonCode.PacketIdentifierNotFound);
            return;
        }

        if (outgoing.State != OutgoingState.Sent)
        {
            if (outgoing.State == OutgoingState.Released)
            {
                output.Answer(PacketType.PubRel, id);
            }

            return;
        }

        if ((int)packet.Reason >= 0x80)
        {
            Finish(id);
            _state?.Remove(StateKind.Sent, id, 0);
            return;
        }

        outgoing.State = OutgoingState.Releasing;
        window.Set(id, outgoing);
        if (_state is null)
        {
            _client.Settle(outgoing.Delivery, Outcome.Accepted);
            OnReleased(id);
            return;
        }

        // Once it is on disk that the message is gone, it is never sent again under the identifier, which is kept.
        _client.Settle(outgoing.Delivery, Outcome.Accepted, new Tag(TagKind.Release, id).Value);
    }

    private void OnPubComp(ushort id, Outgoing outgoing)
    {
        outgoing.State = OutgoingState.Completing;
        window.Set(id, outgoing);
        if (_state?.Remove(StateKind.Sent, id, new Tag(TagKind.Free, id).Value) != true)
        {
            Free(id);
        }
    }

    private void Finish(ushort id)
    {
        if (window.Remove(id, out Outgoing outgoing))
        {
            Settle(outgoing.Delivery);
        }
    }
}
