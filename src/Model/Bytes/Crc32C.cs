using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pillarbox.Model;

/// <summary>CRC32C (Castagnoli) over bytes, as a running value: begin with <see cref="Seed"/>, end with
/// <see cref="Finish"/>.</summary>
public static class Crc32C
{
    /// <summary>The value to begin with.</summary>
    public const uint Seed = 0xFFFFFFFF;

    // The processor takes one step a cycle but needs three for a result: three lanes side by side keep it busy.
    private const int LaneWords = 32;
    private const int LaneBytes = LaneWords * sizeof(ulong);
    private static readonly uint[] LaneShift = MakeShift();

    /// <summary>The standard checksum of some bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Seed, bytes));

    /// <summary>The running value turned into the checksum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Finish(uint crc) => ~crc;

    /// <summary>Adds bytes to a running value.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 3 * LaneBytes)
        {
            crc = AppendLanes(crc, MemoryMarshal.Cast<byte, ulong>(bytes[..(3 * LaneBytes)]));
            bytes = bytes[(3 * LaneBytes)..];
        }

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

    /// <summary>The checksum is linear: that of a and b in a row is that of a, moved on by b's length in zeros, xor
    /// that of
    /// b begun with zero.</summary>
    private static uint AppendLanes(uint first, ReadOnlySpan<ulong> words)
    {
        uint second = 0;
        uint third = 0;
        for (int i = 0; i < LaneWords; i++)
        {
            first = BitOperations.Crc32C(first, words[i]);
            second = BitOperations.Crc32C(second, words[LaneWords + i]);
            third = BitOperations.Crc32C(third, words[(2 * LaneWords) + i]);
        }

        return Shift(Shift(first) ^ second) ^ third;
    }

    /// <summary>Moves a running value on by a lane of zeros.</summary>
    private static uint Shift(uint crc)
    {
        uint[] shift = LaneShift;
        return shift[crc & 0xFF]
            ^ shift[256 + ((crc >> 8) & 0xFF)]
            ^ shift[512 + ((crc >> 16) & 0xFF)]
            ^ shift[768 + (crc >> 24)];
    }

    private static uint[] MakeShift()
    {
        uint[] shift = new uint[4 * 256];
        for (int i = 0; i < shift.Length; i++)
        {
            uint crc = (uint)(i & 0xFF) << (i / 256 * 8);
            for (int word = 0; word < LaneWords; word++)
            {
                crc = BitOperations.Crc32C(crc, 0UL);
            }

            shift[i] = crc;
        }

        return shift;
    }
}
