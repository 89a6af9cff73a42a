using System.Text;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Looks into an encoded map in place: look-ups and walks decode nothing but keys, and allocate nothing. An absent
/// section is an empty map. Broken bytes throw <see cref="AmqpException"/> when they are come across.
/// </summary>
public readonly ref struct MapView
{
    private const int StackBytesMax = 256;

    private readonly ReadOnlySpan<byte> encoded;

    /// <param name="encoded">The map with its format code; empty, or a null: an empty map.</param>
    public MapView(ReadOnlySpan<byte> encoded) => this.encoded = encoded;

    public bool IsEmpty => encoded.IsEmpty || encoded[0] == FormatCode.Null;

    /// <summary>Finds the first entry whose key is a string or symbol of these bytes.</summary>
    public bool TryGet(scoped ReadOnlySpan<byte> utf8Key, out AmqpScalar value)
    {
        Enumerator entries = GetEnumerator();
        while (entries.MoveNext())
        {
            if (entries.Key.IsText && entries.Key.Content.SequenceEqual(utf8Key))
            {
                value = entries.Value;
                return true;
            }
        }
        value = default;
        return false;
    }

    /// <summary>Finds the first entry whose key is a string or symbol with this text.</summary>
    public bool TryGet(string key, out AmqpScalar value)
    {
        int length = Encoding.UTF8.GetMaxByteCount(key.Length);
        scoped Span<byte> utf8 = length <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[length];
        return TryGet(utf8[..Encoding.UTF8.GetBytes(key, utf8)], out value);
    }

    public Enumerator GetEnumerator() => new(IsEmpty ? default : encoded);

    /// <summary>Walks the entries in their order.</summary>
    public ref struct Enumerator
    {
        private readonly CompoundHeader header;
        private AmqpReader reader;
        private int left;

        internal Enumerator(ReadOnlySpan<byte> encoded)
        {
            reader = new AmqpReader(encoded);
            header = encoded.IsEmpty ? default : reader.ReadMapHeader();
            left = header.Count / 2;
        }

        /// <summary>The key of the present entry.</summary>
        public AmqpScalar Key { get; private set; }

        /// <summary>The value of the present entry.</summary>
        public AmqpScalar Value { get; private set; }

        public readonly Enumerator Current => this;

        public bool MoveNext()
        {
            if (left == 0)
            {
                reader.EndCompound(header);
                return false;
            }
            left--;
            Key = reader.ReadScalar();
            Value = reader.ReadScalar();
            return true;
        }
    }
}
