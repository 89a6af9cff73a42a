using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Tests;

/// <summary>Frames out of a stream of bytes.</summary>
public sealed class FrameReaderTests
{
    [Fact]
    public void Frames_are_the_same_wherever_the_bytes_are_split()
    {
        byte[] stream = [.. Frame([0, 1, 2]), .. Frame([0, 18, 9, 9, 9, 9, 9]), .. Frame([0, 3])];
        for (int split = 0; split <= stream.Length; split++)
        {
            using var frames = new FrameReader();
            var got = new List<byte[]>();
            ReadOnlySequence<byte> rest = Feed(frames, new(stream.AsMemory(0, split)), got);
            byte[] second = [.. rest.ToArray(), .. stream[split..]];
            Feed(frames, new(second), got);
            Assert.Equal([3, 7, 2], got.Select(f => f.Length));
            Assert.Equal([0, 18, 9, 9, 9, 9, 9], got[1]);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1001)]
    [InlineData(int.MaxValue)]
    public void A_size_beyond_the_limit_is_a_protocol_error(int size)
    {
        byte[] start = new byte[6];
        BinaryPrimitives.WriteInt32BigEndian(start, size);
        Assert.Throws<KafkaException>(() =>
        {
            using var frames = new FrameReader();
            Feed(frames, new(start), []);
        });
    }

    [Fact]
    public void The_buffer_grows_with_the_bytes_that_came_not_with_the_size_that_was_claimed()
    {
        byte[] start = new byte[64];
        BinaryPrimitives.WriteInt32BigEndian(start, 100 << 20);
        using var frames = new FrameReader();
        var input = new ReadOnlySequence<byte>(start);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(frames.TryRead(ref input, static _ => int.MaxValue, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 128 << 10);
        Assert.True(input.IsEmpty);
    }

    private static ReadOnlySequence<byte> Feed(FrameReader frames, ReadOnlySequence<byte> input, List<byte[]> got)
    {
        while (frames.TryRead(ref input, static _ => 1000, out ReadOnlyMemory<byte> frame))
        {
            got.Add(frame.ToArray());
        }

        return input;
    }

    private static byte[] Frame(byte[] body)
    {
        byte[] frame = new byte[body.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame, 4);
        return frame;
    }
}
