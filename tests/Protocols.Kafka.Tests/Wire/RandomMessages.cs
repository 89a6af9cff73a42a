using System.Reflection;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Tests.Wire;

/// <summary>Fills declared messages with seeded random values.</summary>
internal sealed class RandomMessages(int seed)
{
    private const int ElementsMax = 3;

    private readonly Random _random = new(seed);

    public object Fill(Type type)
    {
        object message = Activator.CreateInstance(type)!;
        foreach (PropertyInfo property in type.GetProperties())
        {
            if (property.GetCustomAttribute<FieldAttribute>() is { } field)
            {
                property.SetValue(message, Value(property.PropertyType, field.Nullable.Length > 0));
            }
        }

        return message;
    }

    private object? Value(Type type, bool nullable)
    {
        if (nullable && _random.Next(4) == 0)
        {
            return null;
        }

        if (type == typeof(byte[]))
        {
            return Bytes();
        }

        if (type.IsArray)
        {
            var items = Array.CreateInstance(type.GetElementType()!, _random.Next(ElementsMax + 1));
            for (int i = 0; i < items.Length; i++)
            {
                items.SetValue(Value(type.GetElementType()!, nullable: false), i);
            }

            return items;
        }

        return Scalar(type) ?? Fill(type);
    }

    private object? Scalar(Type type) => type.Name switch
    {
        nameof(Boolean) => _random.Next(2) == 1,
        nameof(SByte) => (sbyte)_random.Next(sbyte.MinValue, sbyte.MaxValue + 1),
        nameof(Int16) => (short)_random.Next(short.MinValue, short.MaxValue + 1),
        nameof(UInt16) => (ushort)_random.Next(ushort.MaxValue + 1),
        nameof(Int32) => _random.Next(int.MinValue, int.MaxValue),
        nameof(UInt32) => (uint)_random.NextInt64(uint.MaxValue + 1L),
        nameof(Int64) => _random.NextInt64(long.MinValue, long.MaxValue),
        nameof(Double) => _random.NextDouble(),
        nameof(Guid) => new Guid([.. Enumerable.Range(0, 16).Select(_ => (byte)_random.Next(256))]),
        nameof(String) => Text(),
        nameof(RecordBytes) => new RecordBytes(Bytes()),
        _ => null,
    };

    private string Text() =>
        new([.. Enumerable.Range(0, _random.Next(200)).Select(_ => (char)_random.Next(1, 0x2000))]);

    private byte[] Bytes()
    {
        byte[] bytes = new byte[_random.Next(200)];
        _random.NextBytes(bytes);
        return bytes;
    }
}
