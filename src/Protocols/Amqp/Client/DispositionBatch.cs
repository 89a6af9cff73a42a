using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>Gathers settlements of deliveries that follow each other, so that they go out as one disposition.</summary>
internal sealed class DispositionBatch
{
    private bool _any;
    private uint _first;
    private uint _last;
    private DeliveryStateKind _outcome;

    /// <summary>False when the delivery does not continue the range; then the range has to be taken first.</summary>
    public bool TryAdd(uint deliveryId, DeliveryStateKind outcome)
    {
        if (!_any)
        {
            (_any, _first, _last, _outcome) = (true, deliveryId, deliveryId, outcome);
            return true;
        }
        if (outcome != _outcome || deliveryId != unchecked(_last + 1))
        {
            return false;
        }
        _last = deliveryId;
        return true;
    }

    public bool TryTake(out uint first, out uint last, out DeliveryStateKind outcome)
    {
        (first, last, outcome) = (_first, _last, _outcome);
        bool any = _any;
        _any = false;
        return any;
    }
}
