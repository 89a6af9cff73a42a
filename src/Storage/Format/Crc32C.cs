using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pillarbox.Storage;

/// <summary>CRC32C (Castagnoli) over bytes, as a running value: begin with <see cref="Seed"/>, end with
/// <see cref="Finish"/>.</summary>
internal static class Crc32C
{
    /// <summary>The value to begin with.</summary>
    public const uint Seed = 0xFFFFFFFF;

    /// <summary>The standard checksum of some bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Seed, bytes));

    /// <summary>The running value turned into the checksum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Finish(uint crc) => ~crc;

    /// <summary>Adds bytes to a running value.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte single in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, single);
        }

        return crc;
    }

    /// <summary>Adds one 64-bit number to a running value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Append(uint crc, ulong value) => BitOperations.Crc32C(crc, value);
}
