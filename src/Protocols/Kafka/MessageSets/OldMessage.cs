using System.Buffers.Binary;
using Pillarbox.Model.Records;

namespace Pillarbox.Protocols.Kafka.MessageSets;

/// <summary>
/// A message of format 0 or 1, as it stands in a message set:
/// <code>
///  0 offset      i64     16 magic      i8 (0, 1)     18 timestamp  i64 (format 1 only)
///  8 size        i32     17 attributes i8            .. key        i32 length, -1 = null, bytes
/// 12 crc32 of 16...                                  .. value      i32 length, -1 = null, bytes
/// </code>
/// </summary>
internal readonly ref struct OldMessage
{
    /// <summary>Bytes that the size does not count: offset and the size itself.</summary>
    public const int SizeFrom = 12;

    private const int MagicAt = 16;
    private const int CompressionMask = 0x07;

    private OldMessage(ReadOnlySpan<byte> bytes) => Bytes = bytes;

    /// <summary>The whole message, with offset and size.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    public byte Magic => Bytes[MagicAt];

    public RecordCompression Compression => (RecordCompression)(Bytes[MagicAt + 1] & CompressionMask);

    /// <summary>Milliseconds since the Unix epoch; -1 in format 0.</summary>
    public long TimestampMs => Magic == 0 ? -1 : BinaryPrimitives.ReadInt64BigEndian(Bytes[18..]);

    public bool HasKey { get; private init; }

    public ReadOnlySpan<byte> Key { get; private init; }

    public bool HasValue { get; private init; }

    public ReadOnlySpan<byte> Value { get; private init; }

    /// <summary>Reads the message at the front; false when lengths, format or checksum are wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> set, out OldMessage message)
    {
        message = default;
        if (set.Length < HeaderBytes(0))
        {
            return false;
        }

        int size = BinaryPrimitives.ReadInt32BigEndian(set[8..]);
        byte magic = set[MagicAt];
        if (magic > 1 || size < HeaderBytes(magic) - SizeFrom || size > set.Length - SizeFrom)
        {
            return false;
        }

        ReadOnlySpan<byte> bytes = set[..(size + SizeFrom)];
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes[SizeFrom..]) != Crc32.Compute(bytes[MagicAt..]))
        {
            return false;
        }

        int at = HeaderBytes(magic);
        if (!TryField(bytes, ref at, out int key) || !TryField(bytes, ref at, out int value) || at != bytes.Length)
        {
            return false;
        }

        int valueBytes = Math.Max(0, value);
        int keyEnd = bytes.Length - valueBytes - sizeof(int);
        message = new OldMessage(bytes)
        {
            HasKey = key >= 0,
            Key = bytes[(keyEnd - Math.Max(0, key))..keyEnd],
            HasValue = value >= 0,
            Value = bytes[^valueBytes..],
        };
        return true;
    }

    /// <summary>Bytes before the key.</summary>
    public static int HeaderBytes(byte magic) => magic == 0 ? 18 : 26;

    // Moves behind the field; the length is -1 for null.
    private static bool TryField(ReadOnlySpan<byte> bytes, ref int at, out int length)
    {
        length = -1;
        if (bytes.Length - at < sizeof(int))
        {
            return false;
        }

        length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
        at += sizeof(int);
        if (length < -1 || length > bytes.Length - at)
        {
            return false;
        }

        at += Math.Max(0, length);
        return true;
    }
}
