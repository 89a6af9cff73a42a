using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>What generated codecs share: the rules of part 1 section 1.4 for fields.</summary>
internal static class FieldRules
{
    /// <summary>A span made by default is absent (null on the wire); an empty slice of something is present.</summary>
    public static bool IsPresent(ReadOnlySpan<byte> field) =>
        !field.IsEmpty || !Unsafe.IsNullRef(ref MemoryMarshal.GetReference(field));

    public static uint CheckChoice(uint value, uint max, string type, string field) =>
        value <= max ? value : throw AmqpException.Decode($"{type}.{field} is {value}, beyond {max}");

    [DoesNotReturn]
    public static void ThrowMissing(string type, string field) =>
        throw AmqpException.Decode($"{type}.{field} is mandatory and missing");

    [DoesNotReturn]
    public static void ThrowTooManyFields(string type, int count) =>
        throw AmqpException.Decode($"{type} has {count} fields, more than the specification defines");
}
