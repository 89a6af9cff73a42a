using Pillarbox.Protocols.Amqp.Routed.Counting;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>What is counted: on the link's loop, in an object that only it writes.</content>
internal sealed partial class RoutedOutgoingLink
{
    private long _noCreditSinceMs;
    private long[] _ingress = [];

    /// <inheritdoc/>
    public RoutedInbox Inbox => _traffic.Inbox;

    /// <inheritdoc/>
    public bool IsIncoming => false;

    /// <inheritdoc/>
    public LinkCounters Counters { get; } = new();

    /// <summary>Which of the links between routers it is; of others 0.</summary>
    public int Priority { get; init; }

    /// <summary>Its sender's link looks for what is unsettled for long.</summary>
    public bool IsWorthInspecting => false;

    /// <inheritdoc/>
    public void Inspect()
    {
    }

    // The time since when there is no credit; 0: there is some.
    private void NoteCredit()
    {
        if (_linkCredit > 0)
        {
            _noCreditSinceMs = 0;
        }
        else if (_noCreditSinceMs == 0)
        {
            _noCreditSinceMs = Session.Connection.NowMs;
        }
    }

    private long ZeroCreditMsAt(long nowMs) =>
        Volatile.Read(ref _noCreditSinceMs) is var since and > 0 ? Math.Max(0, nowMs - since) : 0;

    // Where it entered the network; between routers that is not counted.
    private void CountIngress(RoutedDelivery delivery)
    {
        int router = delivery.Ingress;
        if (router < 0 || Session.Connection.Role == ConnectionRole.InterRouter)
        {
            return;
        }

        if (router >= _ingress.Length)
        {
            long[] longer = new long[router + 1];
            _ingress.CopyTo(longer, 0);
            Volatile.Write(ref _ingress, longer);
        }

        _ingress[router]++;
    }

    private void CountOutcome(RoutedDelivery delivery, byte[] state)
    {
        CountIngress(delivery);
        long nowMs = Session.Connection.NowMs;
        if (delivery.IsPresettled)
        {
            Counters.OnPresettled(nowMs);
        }
        else
        {
            Counters.OnOutcome(state, delivery.BeganMs, nowMs);
        }
    }
}
