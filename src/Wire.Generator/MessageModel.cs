namespace Pillarbox.Wire.Generator;

/// <summary>How a field of a Kafka message is written, after its C# type.</summary>
internal enum MessageCoding
{
    Scalar,
    String,
    Bytes,
    Records,
    Struct,
}

/// <summary>A range of versions, both ends included.</summary>
internal sealed record VersionRange(int First, int Last)
{
    /// <summary>Last of a range that is open upwards.</summary>
    public const int Open = short.MaxValue;

    /// <summary>Reads "3+", "0-4" or "2"; null for an empty text.</summary>
    public static VersionRange? Parse(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }
        if (text.EndsWith("+", System.StringComparison.Ordinal))
        {
            return new VersionRange(int.Parse(text.Substring(0, text.Length - 1)), Open);
        }
        string[] ends = text.Split('-');
        return new VersionRange(int.Parse(ends[0]), int.Parse(ends[ends.Length - 1]));
    }

    /// <summary>Whether every version of the other range is in this one.</summary>
    public bool Covers(VersionRange other) => First <= other.First && Last >= other.Last;

    /// <summary>The C# condition that says that a version is in the range, given those that can occur.</summary>
    public string? Condition(VersionRange possible) =>
        (First > possible.First, Last < possible.Last) switch
        {
            (false, false) => null,
            (true, false) => $"version >= {First}",
            (false, true) => $"version <= {Last}",
            _ => First == Last ? $"version == {First}" : $"version is >= {First} and <= {Last}",
        };
}

/// <summary>A field: everything that its codec is written from.</summary>
internal sealed record MessageField(
    string Name,
    MessageCoding Coding,
    string Element,
    bool IsArray,
    bool IsNullableType,
    VersionRange Versions,
    VersionRange? Nullable,
    int Tag);

/// <summary>A struct: the message itself, or one within it.</summary>
internal sealed record MessageStruct(string Name, EquatableList<MessageField> Fields);

/// <summary>A message with the structs that are nested in it.</summary>
internal sealed record MessageModel(
    string Namespace,
    string Name,
    string Key,
    VersionRange Versions,
    VersionRange? Flexible,
    EquatableList<MessageStruct> Structs);
