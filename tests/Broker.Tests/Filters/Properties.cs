using System.Buffers.Binary;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Filters;

/// <summary>A payload of properties in a format of the tests: per property name length, name, kind, value length,
/// value.</summary>
internal sealed class Properties : IPropertyReader
{
    public static readonly Properties Reader = new();

    public PayloadFormat Format => PayloadFormat.Amqp;

    public static byte[] Of(params (string Name, object? Value)[] properties)
    {
        var bytes = new List<byte>();
        foreach ((string name, object? value) in properties)
        {
            byte[] text = Encoding.UTF8.GetBytes(name);
            (PropertyKind kind, byte[] encoded) = value switch
            {
                bool b => (PropertyKind.Boolean, [b ? (byte)1 : (byte)0]),
                int i => (PropertyKind.Long, BitConverter.GetBytes((long)i)),
                long l => (PropertyKind.Long, BitConverter.GetBytes(l)),
                double d => (PropertyKind.Double, BitConverter.GetBytes(d)),
                string s => (PropertyKind.String, Encoding.UTF8.GetBytes(s)),
                _ => (PropertyKind.Null, Array.Empty<byte>()),
            };
            bytes.Add((byte)text.Length);
            bytes.AddRange(text);
            bytes.Add((byte)kind);
            bytes.AddRange(BitConverter.GetBytes(encoded.Length));
            bytes.AddRange(encoded);
        }

        return [.. bytes];
    }

    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name)
    {
        while (!payload.IsEmpty)
        {
            ReadOnlySpan<byte> candidate = payload.Slice(1, payload[0]);
            payload = payload[(1 + candidate.Length)..];
            var kind = (PropertyKind)payload[0];
            ReadOnlySpan<byte> value = payload.Slice(5, BinaryPrimitives.ReadInt32LittleEndian(payload[1..]));
            payload = payload[(5 + value.Length)..];
            if (Ascii.Equals(candidate, name))
            {
                return kind switch
                {
                    PropertyKind.Boolean => PropertyValue.From(value[0] != 0),
                    PropertyKind.Long => PropertyValue.From(BinaryPrimitives.ReadInt64LittleEndian(value)),
                    PropertyKind.Double => PropertyValue.From(BinaryPrimitives.ReadDoubleLittleEndian(value)),
                    PropertyKind.String => PropertyValue.From(value),
                    _ => PropertyValue.Null,
                };
            }
        }

        return PropertyValue.Null;
    }
}
