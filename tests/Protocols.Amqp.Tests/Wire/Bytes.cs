using System.Buffers;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>Hexadecimal in and out, sequences split anywhere, and seeds that a failing test prints.</summary>
internal static class Bytes
{
    public delegate void WriteAction(ref AmqpWriter writer);

    public static byte[] FromHex(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static byte[] Written(WriteAction write)
    {
        ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output, 1);
        write(ref writer);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A sequence of two segments, split at <paramref name="at"/>.</summary>
    public static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        Segment first = new(bytes.AsMemory(0, at), null);
        Segment second = new(bytes.AsMemory(at), first);
        return new ReadOnlySequence<byte>(first, 0, second, bytes.Length - at);
    }

    /// <summary>Runs a test many times, each with a seed of its own that is named when it fails.</summary>
    public static void ForSeeds(int count, Action<Random, AmqpGrammar> test)
    {
        int first = Environment.GetEnvironmentVariable("PILLARBOX_SEED") is { } given ? int.Parse(given)
            : Random.Shared.Next();
        for (int seed = first; seed != first + count; seed++)
        {
            Random random = new(seed);
            try
            {
                test(random, new AmqpGrammar(random));
            }
            catch (Exception broken)
            {
                Assert.Fail($"PILLARBOX_SEED={seed}: {broken}");
            }
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            RunningIndex = before is null ? 0 : before.Memory.Length;
            if (before is not null)
            {
                before.Next = this;
            }
        }
    }
}
