namespace Pillarbox.Model.Records;

/// <summary>Variable-length numbers as records hold them: seven bits a byte, lowest first, signs folded in (zig-zag).
/// Pure.</summary>
public static class Varint
{
    /// <summary>The longest encoding of 32 bits.</summary>
    public const int IntBytesMax = 5;

    /// <summary>The longest encoding of 64 bits.</summary>
    public const int LongBytesMax = 10;

    /// <summary>Reads a number and moves <paramref name="at"/> behind it; false when the bytes end or it is too
    /// long.</summary>
    public static bool TryReadInt(ReadOnlySpan<byte> bytes, scoped ref int at, out int value)
    {
        // Most numbers in a record are small.
        if ((uint)at < (uint)bytes.Length && bytes[at] < 0x80)
        {
            uint single = bytes[at++];
            value = (int)(single >> 1) ^ -(int)(single & 1);
            return true;
        }

        bool isRead = TryReadFolded(bytes, ref at, IntBytesMax, out ulong folded) && folded <= uint.MaxValue;
        value = (int)((uint)folded >> 1) ^ -(int)(folded & 1);
        return isRead;
    }

    /// <summary>As <see cref="TryReadInt"/>, of 64 bits.</summary>
    public static bool TryReadLong(ReadOnlySpan<byte> bytes, scoped ref int at, out long value)
    {
        bool isRead = TryReadFolded(bytes, ref at, LongBytesMax, out ulong folded);
        value = (long)(folded >> 1) ^ -(long)(folded & 1);
        return isRead;
    }

    /// <summary>Bytes that a number takes.</summary>
    public static int BytesOf(long value)
    {
        ulong folded = Fold(value);
        int bytes = 1;
        while (folded >= 0x80)
        {
            folded >>= 7;
            bytes++;
        }

        return bytes;
    }

    /// <summary>Writes a number; returns the bytes it took.</summary>
    public static int Write(Span<byte> target, long value)
    {
        ulong folded = Fold(value);
        int at = 0;
        while (folded >= 0x80)
        {
            target[at++] = (byte)(folded | 0x80);
            folded >>= 7;
        }

        target[at++] = (byte)folded;
        return at;
    }

    private static ulong Fold(long value) => (ulong)(value << 1) ^ (ulong)(value >> 63);

    private static bool TryReadFolded(ReadOnlySpan<byte> bytes, scoped ref int at, int bytesMax, out ulong folded)
    {
        folded = 0;
        for (int i = 0; i < bytesMax && (uint)at < (uint)bytes.Length; i++)
        {
            byte part = bytes[at++];
            folded |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                // The tenth byte holds one bit only.
                return i < LongBytesMax - 1 || part <= 1;
            }
        }

        return false;
    }
}
