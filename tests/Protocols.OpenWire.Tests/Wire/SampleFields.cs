using System.Reflection;
using System.Text;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Wire;

/// <summary>Fills the fields of a structure with random values that its version has.</summary>
internal sealed class SampleFields : WireFields
{
    private readonly Random _random;

    private SampleFields(Random random, int version)
    {
        _random = random;
        Version = version;
    }

    public static IDataStructure Make(DataType type, Random random, int version) =>
        Fill(DataTypes.Create(type)!, random, version, depth: 0);

    public override void Boolean(ref bool value) => value = _random.Next(2) == 0;

    public override void Byte(ref byte value) => value = (byte)_random.Next(256);

    public override void Int(ref int value) => value = _random.Next(3) == 0 ? -1 : _random.Next();

    public override void Long(ref long value) => value = _random.Next(5) switch
    {
        0 => 0,
        1 => _random.Next(1 << 16),
        2 => _random.NextInt64(1L << 32),
        3 => -_random.NextInt64(),
        _ => _random.NextInt64(),
    };

    public override void String(ref string? value) => value = _random.Next(4) switch
    {
        0 => null,
        1 => "",
        2 => "ID:host-40312-1700000000000-1:" + _random.Next(100),
        _ => "ä\0€" + char.ConvertFromUtf32(0x1F600) + new string('x', _random.Next(300)),
    };

    public override void Text(ref WireText value)
    {
        string? text = null;
        String(ref text);
        value = WireText.From(text);
    }

    public override void Bytes(ref ReadOnlyMemory<byte>? value)
    {
        value = null;
        if (_random.Next(4) > 0)
        {
            byte[] bytes = new byte[_random.Next(2) == 0 ? 0 : _random.Next(700)];
            _random.NextBytes(bytes);
            value = bytes;
        }
    }

    public override void Fixed(Span<byte> value)
    {
    }

    public override void Throwable(ref WireThrowable? value) => value = _random.Next(3) == 0
        ? null
        : new WireThrowable("javax.jms.JMSException", _random.Next(2) == 0 ? null : "it failed: " + Text());

    protected override int ArrayLength(int length) => length;

    protected override IDataStructure? Nested(IDataStructure? value) => value;

    protected override IDataStructure? Cached(IDataStructure? value) => value;

    // Plain fields by the visitor, structures by their declared types.
    private static IDataStructure Fill(IDataStructure structure, Random random, int version, int depth)
    {
        structure.Visit(new SampleFields(random, version));
        foreach (FieldInfo field in structure.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            Type type = field.FieldType;
            if (depth < 3 && type.IsAssignableTo(typeof(IDataStructure)))
            {
                field.SetValue(structure, random.Next(4) == 0 ? null : Make(type, random, version, depth + 1));
            }
            else if (depth < 3 && type.IsArray && type.GetElementType()!.IsAssignableTo(typeof(IDataStructure)))
            {
                field.SetValue(structure, MakeArray(type.GetElementType()!, random, version, depth + 1));
            }
        }

        return structure;
    }

    private static IDataStructure Make(Type type, Random random, int version, int depth)
    {
        DataType[] fitting =
            [.. DataTypesUnderTest.All.Where(one => DataTypes.Create(one)!.GetType().IsAssignableTo(type))];
        return Fill(DataTypes.Create(fitting[random.Next(fitting.Length)])!, random, version, depth);
    }

    private static System.Array? MakeArray(Type type, Random random, int version, int depth)
    {
        if (random.Next(3) == 0)
        {
            return null;
        }

        var array = System.Array.CreateInstance(type, random.Next(3));
        for (int i = 0; i < array.Length; i++)
        {
            array.SetValue(Make(type, random, version, depth), i);
        }

        return array;
    }

    private string Text() => Encoding.ASCII.GetString([(byte)_random.Next('a', 'z')]);
}

/// <summary>Every structure that there is, but WireFormatInfo, whose properties are no random bytes.</summary>
internal static class DataTypesUnderTest
{
    public static IReadOnlyList<DataType> All { get; } =
        [.. Enum.GetValues<DataType>().Where(type => type is not (DataType.Null or DataType.WireFormatInfo))];
}
