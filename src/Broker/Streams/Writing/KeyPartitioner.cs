using System.Buffers.Binary;

namespace Pillarbox.Broker.Streams.Writing;

/// <summary>Chooses partitions by key as the default partitioner of Kafka's clients does: MurmurHash2 of the key's
/// bytes, without its sign, modulo the number of partitions. Pure.</summary>
internal static class KeyPartitioner
{
    private const uint Seed = 0x9747b28c;
    private const uint Multiplier = 0x5bd1e995;
    private const int Shift = 24;

    public static int PartitionOf(ReadOnlySpan<byte> key, int partitions) => (int)(Hash(key) & 0x7fffffff) % partitions;

    /// <summary>MurmurHash2, 32 bits.</summary>
    public static uint Hash(ReadOnlySpan<byte> key)
    {
        uint hash = Seed ^ (uint)key.Length;
        ReadOnlySpan<byte> rest = key;
        for (; rest.Length >= 4; rest = rest[4..])
        {
            uint block = BinaryPrimitives.ReadUInt32LittleEndian(rest) * Multiplier;
            block ^= block >> Shift;
            hash = (hash * Multiplier) ^ (block * Multiplier);
        }

        if (rest.Length > 0)
        {
            uint tail = 0;
            for (int i = rest.Length - 1; i >= 0; i--)
            {
                tail = (tail << 8) | rest[i];
            }

            hash = (hash ^ tail) * Multiplier;
        }

        hash ^= hash >> 13;
        hash *= Multiplier;
        return hash ^ (hash >> 15);
    }
}
