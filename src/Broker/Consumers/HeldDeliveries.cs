using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;

namespace Pillarbox.Broker.Consumers;

/// <summary>Where a delivery came from, and which delivery of it.</summary>
internal readonly record struct HeldDelivery(long Sequence, uint Stamp, byte Priority);

/// <summary>
/// What a consumer was given, oldest first, so that it can be given back when the consumer goes. Settling does not look
/// here: settled ones are dropped when they reach the front, or by a sweep when they are the most.
/// </summary>
internal sealed class HeldDeliveries
{
    private const int SweepMin = 64;
    private Ring<HeldDelivery> _ring = new();

    /// <summary>How many are really held.</summary>
    public int Held { get; private set; }

    public int Count => _ring.Count;

    public HeldDelivery this[int index] => _ring[index];

    public void Add(in HeldDelivery delivery)
    {
        _ring.Add() = delivery;
        Held++;
    }

    /// <summary>One is settled; the queue tells for any other whether its owner still holds it.</summary>
    public void OnSettled(Queue queue, int owner)
    {
        Held--;
        while (_ring.Count > 0 && (Held == 0 || !queue.Holds(_ring[0], owner)))
        {
            _ring.RemoveOldest();
        }

        if (_ring.Count > SweepMin && _ring.Count > Held * 4)
        {
            Sweep(queue, owner);
        }
    }

    public void Clear()
    {
        _ring = new Ring<HeldDelivery>();
        Held = 0;
    }

    private void Sweep(Queue queue, int owner)
    {
        Ring<HeldDelivery> kept = new();
        for (int i = 0; i < _ring.Count; i++)
        {
            if (queue.Holds(_ring[i], owner))
            {
                kept.Add() = _ring[i];
            }
        }

        _ring = kept;
    }
}
