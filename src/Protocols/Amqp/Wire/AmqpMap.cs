using System.Collections;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// A decoded map that keeps its order (part 1 section 1.6.23). Equal keys are refused when it is read. Look-ups walk
/// the entries: for the small maps of open, attach and flow.
/// </summary>
public sealed class AmqpMap : IReadOnlyList<KeyValuePair<AmqpValue, AmqpValue>>, IEquatable<AmqpMap>
{
    private readonly List<KeyValuePair<AmqpValue, AmqpValue>> _entries;

    public AmqpMap()
        : this(0)
    {
    }

    internal AmqpMap(int capacity) => _entries = new(capacity);

    public int Count => _entries.Count;

    public KeyValuePair<AmqpValue, AmqpValue> this[int index] => _entries[index];

    public void Add(AmqpValue key, AmqpValue value) => _entries.Add(new(key, value));

    /// <summary>Adds an entry whose key is a symbol, as in properties and annotations.</summary>
    public void AddSymbol(string key, AmqpValue value) => Add(AmqpValue.Symbol(key), value);

    /// <summary>Adds an entry, or replaces the value of an equal key.</summary>
    public void Set(AmqpValue key, AmqpValue value)
    {
        int index = _entries.FindIndex(entry => entry.Key == key);
        if (index >= 0)
        {
            _entries[index] = new(key, value);
        }
        else
        {
            Add(key, value);
        }
    }

    public bool TryGet(AmqpValue key, out AmqpValue value)
    {
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in _entries)
        {
            if (entry.Key == key)
            {
                value = entry.Value;
                return true;
            }
        }
        value = default;
        return false;
    }

    /// <summary>Finds an entry whose key is a symbol or a string with this text.</summary>
    public bool TryGet(string key, out AmqpValue value)
    {
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in _entries)
        {
            if (entry.Key.AsText() == key)
            {
                value = entry.Value;
                return true;
            }
        }
        value = default;
        return false;
    }

    /// <summary>Reads a map; broken input or an equal key twice is a decode error.</summary>
    public static AmqpMap Read(scoped ref AmqpReader reader) => reader.ReadMap();

    public void Write(scoped ref AmqpWriter writer)
    {
        int mark = writer.BeginCompound();
        foreach (KeyValuePair<AmqpValue, AmqpValue> entry in _entries)
        {
            writer.WriteValue(entry.Key);
            writer.WriteValue(entry.Value);
        }
        writer.EndMap(mark, _entries.Count * 2);
    }

    public IEnumerator<KeyValuePair<AmqpValue, AmqpValue>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(AmqpMap? other) => other is not null && _entries.SequenceEqual(other._entries);

    public override bool Equals(object? obj) => Equals(obj as AmqpMap);

    public override int GetHashCode() => _entries.Count;

    public override string ToString() =>
        "{" + string.Join(", ", _entries.Select(entry => $"{entry.Key}: {entry.Value}")) + "}";
}
