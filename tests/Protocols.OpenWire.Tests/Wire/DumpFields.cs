using System.Text;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Wire;

/// <summary>Writes the fields of a structure as text, so that two can be compared.</summary>
internal sealed class DumpFields : WireFields
{
    private readonly StringBuilder _text = new();

    private DumpFields(int version) => Version = version;

    public static string Of(IDataStructure structure, int version)
    {
        var dump = new DumpFields(version);
        dump.Add(structure);
        return dump._text.ToString();
    }

    public override void Boolean(ref bool value) => Add(value);

    public override void Byte(ref byte value) => Add(value);

    public override void Int(ref int value) => Add(value);

    public override void Long(ref long value) => Add(value);

    public override void String(ref string? value) => Add(value is null ? "null" : $"\"{value}\"");

    public override void Text(ref WireText value) => Add(value.IsPresent ? $"\"{value}\"" : "null");

    public override void Bytes(ref ReadOnlyMemory<byte>? value) =>
        Add(value is { } bytes ? Convert.ToHexString(bytes.Span) : "null");

    public override void Fixed(Span<byte> value) => Add(Convert.ToHexString(value));

    public override void Throwable(ref WireThrowable? value) => Add(value?.ToString() ?? "null");

    protected override int ArrayLength(int length)
    {
        Add(length);
        return length;
    }

    protected override IDataStructure? Nested(IDataStructure? value)
    {
        Add(value);
        return value;
    }

    protected override IDataStructure? Cached(IDataStructure? value)
    {
        Add(value);
        return value;
    }

    private void Add(object value) => _text.Append(value).Append(' ');

    private void Add(IDataStructure? structure)
    {
        _text.Append(structure?.Type.ToString() ?? "null").Append("{ ");
        structure?.Visit(this);
        _text.Append("} ");
    }
}
