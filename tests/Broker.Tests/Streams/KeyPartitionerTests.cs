using System.Text;
using Pillarbox.Broker.Streams.Writing;

namespace Pillarbox.Broker.Tests.Streams;

public sealed class KeyPartitionerTests
{
    // What the default partitioner of Kafka's clients computes for these.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void The_hash_is_that_of_the_field(string key, int hash) =>
        Assert.Equal(hash, unchecked((int)KeyPartitioner.Hash(Encoding.UTF8.GetBytes(key))));

    [Fact]
    public void A_negative_hash_still_names_a_partition() =>
        Assert.Equal((-973932308 & 0x7fffffff) % 12, KeyPartitioner.PartitionOf("21"u8, 12));
}
