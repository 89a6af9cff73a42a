using System.Buffers.Binary;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>Goes over loosely encoded bytes without allocating. What reaches beyond the end fails it,
/// quietly.</summary>
internal ref struct LooseScan(ReadOnlySpan<byte> bytes)
{
    private const int NestingMax = 16;
    private ReadOnlySpan<byte> _rest = bytes;

    public bool HasFailed { get; private set; }

    public byte Byte() => Take(1) is [var value] ? value : (byte)0;

    public bool Boolean() => Byte() != 0;

    public ushort Short() => Take(2) is { Length: 2 } two ? BinaryPrimitives.ReadUInt16BigEndian(two) : (ushort)0;

    public int Int() => Take(4) is { Length: 4 } four ? BinaryPrimitives.ReadInt32BigEndian(four) : 0;

    public long Long() => Take(8) is { Length: 8 } eight ? BinaryPrimitives.ReadInt64BigEndian(eight) : 0;

    /// <summary>A string; empty when absent.</summary>
    public ReadOnlySpan<byte> Text() => Boolean() ? Take(Short()) : default;

    /// <summary>Bytes; empty when absent.</summary>
    public ReadOnlySpan<byte> Bytes() => Boolean() ? Take(Int()) : default;

    public ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length)
        {
            HasFailed = true;
            _rest = default;
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    /// <summary>The bytes of a value, without those of its length.</summary>
    public ReadOnlySpan<byte> Value(PrimitiveType type, int depth = 0)
    {
        switch (type)
        {
            case PrimitiveType.Null:
                return default;
            case PrimitiveType.Boolean or PrimitiveType.Byte:
                return Take(1);
            case PrimitiveType.Char or PrimitiveType.Short:
                return Take(2);
            case PrimitiveType.Int or PrimitiveType.Float:
                return Take(4);
            case PrimitiveType.Long or PrimitiveType.Double:
                return Take(8);
            case PrimitiveType.String:
                return Take(Short());
            case PrimitiveType.BigString or PrimitiveType.Bytes:
                return Take(Int());
            case PrimitiveType.Map or PrimitiveType.List when depth < NestingMax:
                SkipEntries(type, depth + 1);
                return default;
            default:
                HasFailed = true;
                return default;
        }
    }

    private void SkipEntries(PrimitiveType type, int depth)
    {
        int count = Int();
        for (int i = 0; i < count && !HasFailed; i++)
        {
            if (type == PrimitiveType.Map)
            {
                Take(Short());
            }

            Value((PrimitiveType)Byte(), depth);
        }
    }
}
