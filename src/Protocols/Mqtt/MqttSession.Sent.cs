using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>
/// Messages of QoS 2 to a session that goes on (MQTT 5.0 §4.3.3). The client remembers the packet identifier until it
/// is released, so before one is used it is on disk which message it stands for. When the client comes back, a message
/// that is there still is sent again; of one that is gone, whatever took it (PUBREC, its time, an operator, a stream's
/// retention), the identifier is released.
/// </content>
internal sealed partial class MqttSession
{
    // Those whose identifiers go to disk, in the order in which they go out. What comes behind them waits, unless it is
    // of QoS 2 itself.
    private Queue<(Delivery Delivery, ushort Id)>? _storing;

    // What an earlier connection has kept may be on its way to the disk still.
    private bool _isResuming;

    private bool IsStoring => _storing is { Count: > 0 };

    private bool IsNextStored =>
        IsStoring && _window.TryGet(_storing!.Peek().Id, out Outgoing next) && next.State == OutgoingState.Stored;

    // Numbers of messages that are not durable may be those of durable ones.
    private static MessageKey KeyOf(in Delivery delivery) => new(
        delivery.Durable || delivery.IsRecord ? delivery.QueueNumber : ~delivery.QueueNumber, delivery.MessageId);

    // An identifier that is kept, and not by this connection on its way to the first PUBLISH.
    private bool IsBegun(in Delivery delivery) =>
        State?.TryGetSent(KeyOf(delivery), out ushort id) == true
            && (!_window.TryGet(id, out Outgoing known) || known.State >= OutgoingState.Sent);

    // Done: it may be sent under the identifier now.
    private SendResult Identify(in Delivery delivery, bool isStored, out ushort id)
    {
        if (State!.TryGetSent(KeyOf(delivery), out id))
        {
            if (isStored)
            {
                return SendResult.Done;
            }

            if (_window.IsFull || !_window.IsFree(id))
            {
                return SendResult.Blocked;
            }

            if (!IsStoring)
            {
                return SendResult.Done;
            }

            Enqueue(delivery, id, OutgoingState.Stored);
            return SendResult.Storing;
        }

        id = _window.IsFull ? (ushort)0 : _window.FreeFrom(_window.IdOf(delivery), State);
        if (id == 0)
        {
            return SendResult.Blocked;
        }

        State.PutSent(id, KeyOf(delivery), new Tag(TagKind.Send, id).Value);
        Enqueue(delivery, id, OutgoingState.Storing);
        return SendResult.Storing;
    }

    private void Enqueue(in Delivery delivery, ushort id, OutgoingState state)
    {
        (_storing ??= new Queue<(Delivery, ushort)>()).Enqueue((delivery, id));
        _window.Set(id, new Outgoing { Delivery = delivery, Qos = 2, State = state });
    }

    private void OnSentKept(ushort id, BrokerException? error)
    {
        if (error is not null)
        {
            _end.With(error);
        }
        else if (_window.TryGet(id, out Outgoing outgoing) && outgoing.State == OutgoingState.Storing)
        {
            outgoing.State = OutgoingState.Stored;
            _window.Set(id, outgoing);
        }
    }

    // Its identifiers need not be stored any more: the messages went back to their queue.
    private void ForgetStoring(Consumer consumer)
    {
        if (!IsStoring)
        {
            return;
        }

        var left = new Queue<(Delivery Delivery, ushort Id)>();
        foreach ((Delivery delivery, ushort id) in _storing!)
        {
            if (ReferenceEquals(delivery.Consumer, consumer))
            {
                ReleaseUnsent(id);
            }
            else
            {
                left.Enqueue((delivery, id));
            }
        }

        _storing = left;
    }

    // The message is not sent, or not again. The client may hold it under an identifier.
    private void Drop(in Delivery delivery, bool isTaken)
    {
        var dropped = new Outgoing { Delivery = delivery, Qos = 2, State = OutgoingState.Releasing, IsTaken = isTaken };
        if (State?.TryGetSent(KeyOf(delivery), out ushort id) != true)
        {
            _client.Settle(delivery, Outcome.Accepted);
            Owe(dropped);
            return;
        }

        _window.Set(id, dropped);
        _client.Settle(delivery, Outcome.Accepted, new Tag(TagKind.Release, id).Value);
    }

    // §4.3.3: a message that the client may have got does not expire.
    private void GiveBackSent()
    {
        foreach (ushort id in State is null ? [] : _window.Ids)
        {
            if (_window.TryGet(id, out Outgoing outgoing) && outgoing is { Qos: 2, State: OutgoingState.Sent })
            {
                _client.Settle(outgoing.Delivery, Outcome.Released with { Begun = true });
            }
        }
    }

    private void ResumeSent(SessionState state)
    {
        (ushort PacketId, MessageKey Message)[] sent = [.. state.Sent];
        if (sent.Length == 0)
        {
            return;
        }

        _isResuming = true;
        _client.AwaitDisk(new Tag(TagKind.Resumed, 0).Value);
        foreach ((ushort id, _) in sent.Where(one => one.Message == default))
        {
            OnGone(id);
        }

        _client.AwaitGone(
            _queues.Queue,
            sent.Where(one => one.Message != default)
                .Select(one => (one.Message, new Tag(TagKind.Gone, one.PacketId).Value)));
    }

    private void OnGone(ushort id)
    {
        if (_window.IsFree(id))
        {
            ReleaseUnsent(id);
        }
    }

    private void ReleaseUnsent(ushort id)
    {
        _window.Set(id, new Outgoing { Qos = 2, State = OutgoingState.Released });
        _output.Answer(PacketType.PubRel, id);
    }
}
