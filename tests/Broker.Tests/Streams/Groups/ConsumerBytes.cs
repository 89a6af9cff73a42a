using System.Buffers.Binary;
using System.Text;

namespace Pillarbox.Broker.Tests.Streams.Groups;

/// <summary>What clients put into classic metadata and assignments, written by hand.</summary>
internal static class ConsumerBytes
{
    /// <summary>A sticky assignor notes a generation among its own data.</summary>
    public static byte[] Subscription(string topic, params int[] owned) =>
        [.. Short(1), .. Int(1), .. Text(topic), .. Int(4), .. Int(7), .. Partitions(topic, owned)];

    public static byte[] Assignment(string topic, params int[] partitions) =>
        [.. Short(1), .. Partitions(topic, partitions), .. Int(-1)];

    /// <summary>An assignment with data that only its own assignor understands.</summary>
    public static byte[] OwnAssignment(string topic, params int[] partitions) =>
        [.. Short(1), .. Partitions(topic, partitions), .. Int(1), 42];

    public static int[] ReadAssignment(ReadOnlySpan<byte> bytes)
    {
        List<int> partitions = [];
        bytes = bytes[2..];
        int topics = TakeInt(ref bytes);
        for (int i = 0; i < topics; i++)
        {
            bytes = bytes[(2 + BinaryPrimitives.ReadInt16BigEndian(bytes))..];
            int count = TakeInt(ref bytes);
            for (int j = 0; j < count; j++)
            {
                partitions.Add(TakeInt(ref bytes));
            }
        }

        return [.. partitions];
    }

    private static int TakeInt(ref ReadOnlySpan<byte> bytes)
    {
        int value = BinaryPrimitives.ReadInt32BigEndian(bytes);
        bytes = bytes[4..];
        return value;
    }

    private static byte[] Partitions(string topic, int[] partitions) => partitions.Length == 0
        ? Int(0)
        : [.. Int(1), .. Text(topic), .. Int(partitions.Length), .. partitions.SelectMany(Int)];

    private static byte[] Text(string text) => [.. Short((short)text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Short(short value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteInt16BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Int(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
