using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Deliveries;

/// <summary>
/// Which packet identifier a message to the client bears (MQTT 5.0 §2.2.1), and when it may go out under it. To a
/// session that goes on, one of QoS 2 goes when it is on disk which message the identifier stands for (§4.3.3): the
/// client remembers it until it is released. Many go to disk at once; they go out in their order. Owned by the
/// connection.
/// </summary>
/// <param name="state">What is kept of the session; null: it ends with its connection.</param>
/// <param name="window">Those that are in use.</param>
internal sealed class OutgoingIdentifiers(SessionState? state, OutgoingWindow window)
{
    // Those whose identifiers go to disk, in the order in which they go out. What comes behind them waits, unless it is
    // of QoS 2 itself.
    private Queue<(Delivery Delivery, ushort Id)>? _storing;

    /// <summary>Whether the first of those that went to disk may go out.</summary>
    public bool IsNextStored =>
        IsStoring && window.TryGet(_storing!.Peek().Id, out Outgoing next) && next.State == OutgoingState.Stored;

    /// <summary>The first of those that went to disk.</summary>
    public Delivery NextStored => _storing!.Peek().Delivery;

    private bool IsStoring => _storing is { Count: > 0 };

    /// <summary>The first of those that went to disk is sent: what waited behind it may be tried.</summary>
    public void TakeStored()
    {
        _storing!.Dequeue();
        window.IsBlocked = false;
    }

    /// <summary>Whether an identifier is kept for a message, and not by this connection on its way to the first
    /// PUBLISH: the client may have it.</summary>
    public bool IsBegun(in Delivery delivery) =>
        state?.TryGetSent(delivery, out ushort id) == true
            && (!window.TryGet(id, out Outgoing known) || known.State >= OutgoingState.Sent);

    /// <summary>Done: the message may be sent under the identifier now.</summary>
    /// <param name="delivery">The message.</param>
    /// <param name="isStored">It is the first of those that went to disk.</param>
    /// <param name="qos">With which it goes.</param>
    /// <param name="id">0 for QoS 0.</param>
    public SendResult Choose(in Delivery delivery, bool isStored, int qos, out ushort id)
    {
        if (qos == 2 && state is not null)
        {
            return Identify(state, delivery, isStored, out id);
        }

        id = 0;
        if (IsStoring)
        {
            return SendResult.Blocked;
        }

        if (qos == 0)
        {
            return SendResult.Done;
        }

        id = window.IdOf(delivery);
        if (window.IsFree(id) && state?.IsSent(id) == true)
        {
            id = window.FreeFrom(id, state);
        }

        return id == 0 || window.IsFull || !window.IsFree(id) ? SendResult.Blocked : SendResult.Done;
    }

    /// <summary>It is on disk which message an identifier stands for.</summary>
    public void OnKept(ushort id)
    {
        if (window.TryGet(id, out Outgoing outgoing) && outgoing.State == OutgoingState.Storing)
        {
            outgoing.State = OutgoingState.Stored;
            window.Set(id, outgoing);
        }
    }

    /// <summary>The messages of a consumer went back to their queue: takes those out of what goes to disk, and gives
    /// their identifiers.</summary>
    public IReadOnlyList<ushort> Forget(Consumer consumer)
    {
        if (!IsStoring)
        {
            return [];
        }

        List<ushort> forgotten = [];
        var left = new Queue<(Delivery Delivery, ushort Id)>();
        foreach ((Delivery delivery, ushort id) in _storing!)
        {
            if (ReferenceEquals(delivery.Consumer, consumer))
            {
                forgotten.Add(id);
            }
            else
            {
                left.Enqueue((delivery, id));
            }
        }

        _storing = left;
        return forgotten;
    }

    private SendResult Identify(SessionState kept, in Delivery delivery, bool isStored, out ushort id)
    {
        if (kept.TryGetSent(delivery, out id))
        {
            if (isStored)
            {
                return SendResult.Done;
            }

            if (window.IsFull || !window.IsFree(id))
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

        id = window.IsFull ? (ushort)0 : window.FreeFrom(window.IdOf(delivery), kept);
        if (id == 0)
        {
            return SendResult.Blocked;
        }

        kept.PutSent(id, delivery, new Tag(TagKind.Send, id).Value);
        Enqueue(delivery, id, OutgoingState.Storing);
        return SendResult.Storing;
    }

    private void Enqueue(in Delivery delivery, ushort id, OutgoingState progress)
    {
        (_storing ??= new Queue<(Delivery, ushort)>()).Enqueue((delivery, id));
        window.Set(id, new Outgoing { Delivery = delivery, Qos = 2, State = progress });
    }
}
