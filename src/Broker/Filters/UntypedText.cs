using System.Buffers.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Filters;

/// <summary>Strings of protocols without types, read as what they stand beside. Pure; allocates nothing.</summary>
internal static class UntypedText
{
    /// <summary>The longest text that is looked at for a number, in bytes.</summary>
    private const int NumberBytesMax = 64;

    /// <summary>Reads untyped text as a number, or as true or false; false: it is none, or has a type.</summary>
    public static bool TryRead(scoped in PropertyValue text, PropertyKind wanted, out PropertyValue value)
    {
        value = PropertyValue.Null;
        if (!text.IsUntyped)
        {
            return false;
        }

        if (wanted == PropertyKind.Boolean)
        {
            bool isTrue = System.Text.Ascii.EqualsIgnoreCase(text.Utf8, "true"u8);
            value = PropertyValue.From(isTrue);
            return isTrue || System.Text.Ascii.EqualsIgnoreCase(text.Utf8, "false"u8);
        }

        return wanted is PropertyKind.Long or PropertyKind.Double && TryReadNumber(text.Utf8, out value);
    }

    /// <summary>What arithmetic takes for the value: untyped text as the number that it is, else the value.</summary>
    public static bool IsNumber(scoped in PropertyValue value, out PropertyValue number)
    {
        bool isNumber = value.Kind is PropertyKind.Long or PropertyKind.Double;
        number = value.Kind == PropertyKind.Long ? PropertyValue.From(value.Bits)
            : value.Kind == PropertyKind.Double ? PropertyValue.From(value.Double)
            : PropertyValue.Null;
        return isNumber || TryRead(value, PropertyKind.Long, out number);
    }

    private static bool TryReadNumber(scoped ReadOnlySpan<byte> text, out PropertyValue number)
    {
        number = PropertyValue.Null;
        if (text.Length is 0 or > NumberBytesMax)
        {
            return false;
        }

        if (Utf8Parser.TryParse(text, out long whole, out int used) && used == text.Length)
        {
            number = PropertyValue.From(whole);
            return true;
        }

        bool isNumber = Utf8Parser.TryParse(text, out double approximate, out used) && used == text.Length
            && double.IsFinite(approximate);
        number = isNumber ? PropertyValue.From(approximate) : PropertyValue.Null;
        return isNumber;
    }
}
