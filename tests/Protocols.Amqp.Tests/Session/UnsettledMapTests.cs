using System.Runtime.CompilerServices;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Links;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>The ring of unsettled deliveries against a dictionary.</summary>
public sealed class UnsettledMapTests
{
    [Theory]
    [InlineData(1, 0u)]
    [InlineData(2, uint.MaxValue - 20_000)]
    [InlineData(3, uint.MaxValue)]
    public void Map_is_what_a_dictionary_is(int seed, uint firstId)
    {
        var random = new Random(seed);
        var map = new UnsettledMap(firstId);
        var model = new Dictionary<uint, long>();
        for (int step = 0; step < 120_000; step++)
        {
            // Mostly settled soon, some kept for long, some settled as they are sent.
            int what = random.Next(100);
            if (what < 50 || model.Count == 0)
            {
                model.Add(map.Add(new Delivery { Consumer = null!, MessageId = step }, null!), step);
            }
            else if (what < 55)
            {
                map.TakeSettledId();
            }
            else
            {
                uint id = model.Keys.ElementAt(random.Next(Math.Min(model.Count, 20)) == 0 ? 0 : model.Count - 1);
                ref SentDelivery sent = ref map.Find(id);
                Assert.False(Unsafe.IsNullRef(ref sent));
                Assert.Equal(model[id], sent.Delivery.MessageId);
                map.Remove(id);
                model.Remove(id);
                Assert.True(Unsafe.IsNullRef(ref map.Find(id)));
            }
            Assert.Equal(model.Count, map.Count);
        }
        foreach ((uint id, long message) in model)
        {
            Assert.Equal(message, map.Find(id).Delivery.MessageId);
        }
        Assert.True(Unsafe.IsNullRef(ref map.Find(map.NextId)));
    }

    [Fact]
    public void One_old_delivery_does_not_make_the_ring_grow_for_ever()
    {
        var map = new UnsettledMap(0);
        uint old = map.Add(new Delivery { Consumer = null!, MessageId = 77 }, null!);
        for (int i = 0; i < 100_000; i++)
        {
            map.Remove(map.Add(new Delivery { Consumer = null! }, null!));
        }
        Assert.Equal(1, map.Count);
        Assert.Equal(77, map.Find(old).Delivery.MessageId);
        Assert.Equal(old, Assert.Single(map.StragglerIds));
        map.Remove(old);
        Assert.Equal(0, map.Count);
    }
}
