using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <content>
/// A receiver that comes back with unsettled deliveries (part 2 section 2.6.13). The node keeps nothing for it: the
/// tags of such a link name the messages, also for another run of the node. An outcome that the receiver states takes
/// effect if the message is still there and nobody else has it, and is on disk before the attach is answered; the
/// answer leaves it out, which settles it. A delivery without an outcome is sent again under its old tag.
/// </content>
internal sealed partial class SendingLink
{
    // Bytes of an entry of the unsettled map: the tag, and null.
    private const int EntryBytes = DeliveryName.Bytes + 3;

    private readonly Stack<(Delivery Delivery, byte[] Tag)> _resumed = new();
    private readonly bool _sendsOnlyResumed;
    private ReceiverClaims? _claims;
    private TaskCompletionSource? _answered;
    private Attach? _attach;
    private byte[]? _resumedTag;
    private int _settling;
    private bool _isReclaimed;

    /// <summary>Whether the tags of its deliveries name the messages: the peer can come back with them.</summary>
    public bool NamesDeliveries { get; }

    private int ResumedCount => _resumed.Count;

    /// <summary>
    /// Looks at what the peer has unsettled. True: the attach is answered later, and no input is read until then.
    /// Errors: a delivery state that cannot be read.
    /// </summary>
    public bool Resumes(Attach attach)
    {
        if (!NamesDeliveries || attach.Unsettled is not { Count: > 0 } unsettled)
        {
            return false;
        }

        var claims = ReceiverClaims.Read(unsettled, _options);
        if (claims.Count == 0)
        {
            return false;
        }

        _claims = claims;
        _attach = attach;
        _answered = new TaskCompletionSource();
        Session.Connection.Hold.Until(_answered.Task);
        _client.Reclaim(Consumer, claims.Names);
        return true;
    }

    /// <summary>All that could be had again has been told.</summary>
    public void OnReclaimed()
    {
        _isReclaimed = true;
        AnswerWhenSettled();
    }

    /// <summary>An outcome that the peer came back with is on disk.</summary>
    public void OnClaimSettled()
    {
        _settling--;
        AnswerWhenSettled();
    }

    /// <summary>Answers the attach now, if it waits for its answer.</summary>
    public void AnswerAttach()
    {
        if (_attach is not { } attach)
        {
            return;
        }

        _attach = null;
        try
        {
            AmqpMap unsettled = NameResumed(out bool isIncomplete);
            Session.AnswerOutgoing(attach, Subscription, unsettled, isIncomplete);
        }
        catch (AmqpException fault)
        {
            Session.Connection.Close(fault.ToError());
        }

        _answered!.TrySetResult();
    }

    private void AnswerWhenSettled()
    {
        if (_isReclaimed && _settling == 0 && State == LinkState.Attached)
        {
            AnswerAttach();
        }
    }

    private void OnClaimed(in Delivery delivery)
    {
        (byte[] tag, DeliveryName name, PeerOutcome stated) = _claims![delivery.Claim - 1];
        if (!stated.IsFinal)
        {
            _resumed.Push((delivery, tag));
            return;
        }

        // When the attempt was counted as its connection broke, it is not counted again.
        Outcome outcome = stated.Outcome;
        if (delivery.DeliveryCount != name.DeliveryCount)
        {
            outcome = outcome with { DeliveryFailed = false };
        }

        _settling++;
        _client.Settle(delivery, outcome, Session.Connection.Settlements.TagClaimed(this));
    }

    // What does not fit into the frame goes back to its queue, and the map is said to be incomplete.
    private AmqpMap NameResumed(out bool isIncomplete)
    {
        (Delivery Delivery, byte[] Tag)[] all = _resumed.ToArray();
        Array.Reverse(all);
        int max = (int)Math.Min(Session.Connection.PeerFrameBytesMax, int.MaxValue) / 2 / EntryBytes;
        isIncomplete = all.Length > max;
        foreach ((Delivery delivery, _) in all.Skip(max))
        {
            _client.Settle(delivery, Outcome.Released);
        }

        var unsettled = new AmqpMap();
        foreach ((_, byte[] tag) in all.Take(max))
        {
            unsettled.Add(tag, AmqpValue.Null);
        }

        _resumed.Clear();
        foreach ((Delivery, byte[]) one in all.Take(max).Reverse())
        {
            _resumed.Push(one);
        }

        return unsettled;
    }

    private bool TryTakeResumed(out Delivery delivery)
    {
        bool any = _resumed.TryPop(out (Delivery Delivery, byte[] Tag) next);
        delivery = next.Delivery;
        _resumedTag = next.Tag;
        return any;
    }

    // The peer took its credit back before the delivery began: it stays promised.
    private bool TryKeepResumed(in Delivery delivery)
    {
        if (_resumedTag is null || State != LinkState.Attached)
        {
            return false;
        }

        _resumed.Push((delivery, _resumedTag));
        _resumedTag = null;
        return true;
    }

    // Part 2 section 2.7.5: what was promised and cannot be sent is aborted, which settles it.
    private void AbortResumed()
    {
        if (_resumedTag is null || State != LinkState.Attached)
        {
            return;
        }

        uint id = Session.Unsettled.TakeSettledId();
        var transfer = new Transfer
        {
            Handle = Handle,
            DeliveryId = id,
            DeliveryTag = _resumedTag,
            Resume = true,
            Aborted = true,
        };
        Session.Connection.Frames.Write(Session.Channel, transfer, default, default);
        Session.Window.OnTransferSent();
        _resumedTag = null;
        UseCredit();
    }

    private void DropResumed()
    {
        _resumed.Clear();
        _attach = null;
        _answered?.TrySetResult();
    }
}
