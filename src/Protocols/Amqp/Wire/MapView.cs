using System.Text;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Looks into an encoded map in place: look-ups and walks decode nothing but keys, and allocate nothing. An absent
/// section is an empty map. Broken bytes throw <see cref="AmqpException"/> when they are come across.
/// </summary>
public readonly ref struct MapView
{
    private const int StackBytesMax = 256;

    private readonly ReadOnlySpan<byte> _encoded;

    /// <param name="encoded">The map with its format code; empty, or a null: an empty map.</param>
    public MapView(ReadOnlySpan<byte> encoded) => _encoded = encoded;

    public bool IsEmpty => _encoded.IsEmpty || _encoded[0] == FormatCode.Null;

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

    public Enumerator GetEnumerator() => new(IsEmpty ? default : _encoded);

    /// <summary>Walks the entries in their order.</summary>
    public ref struct Enumerator
    {
        private readonly CompoundHeader _header;
        private AmqpReader _reader;
        private int _left;

        internal Enumerator(ReadOnlySpan<byte> encoded)
        {
            _reader = new AmqpReader(encoded);
            _header = encoded.IsEmpty ? default : _reader.ReadMapHeader();
            _left = _header.Count / 2;
        }

        /// <summary>The key of the present entry.</summary>
        public AmqpScalar Key { get; private set; }

        /// <summary>The value of the present entry.</summary>
        public AmqpScalar Value { get; private set; }

        public readonly Enumerator Current => this;

        public bool MoveNext()
        {
            if (_left == 0)
            {
                _reader.EndCompound(_header);
                return false;
            }
            _left--;
            Key = _reader.ReadScalar();
            Value = _reader.ReadScalar();
            return true;
        }
    }
}
