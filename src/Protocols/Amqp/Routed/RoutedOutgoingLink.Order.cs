namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>What waits for deliveries of other links, see <see cref="SiblingOrder"/>.</content>
internal sealed partial class RoutedOutgoingLink
{
    private readonly SiblingOrder? _siblings;
    private int _barriers;

    /// <summary>Deliveries that were handed in.</summary>
    public long Entered { get; private set; }

    /// <summary>How many of them, in their order, have gone out whole or were given up.</summary>
    public long Passed => _current is not null ? _current.Order - 1
        : _pending.TryPeek(out RoutedDelivery? first) ? first.Order - 1
        : Entered;

    /// <summary>Whether the link goes on as a whole to another end.</summary>
    public bool IsOfLinkRoute => _end is not null;

    /// <summary>Whether some of those that wait are to wait for other links.</summary>
    public bool HasBarrier => _barriers > 0;

    // The next one waits for other links.
    private bool IsBarred => _barriers > 0 && _pending.TryPeek(out RoutedDelivery? next)
        && next.Barrier is { } barrier && !barrier.IsPassed();

    private void Enter(RoutedDelivery delivery)
    {
        delivery.Order = ++Entered;
        delivery.Barrier = delivery.IsBehind ? _siblings?.Raise(this) : null;
        if (delivery.Barrier is not null)
        {
            _barriers++;
        }

        _pending.Enqueue(delivery);
    }

    private void Leave(RoutedDelivery delivery)
    {
        if (delivery.Barrier is not null)
        {
            delivery.Barrier = null;
            _barriers--;
        }
    }
}
