using System.Text;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>The names that a connection says again and again, kept once. Bounded; one per connection.</summary>
internal sealed class StringPool
{
    private const int Slots = 64;
    private const int BytesMax = 256;
    private readonly string?[] _known = new string?[Slots];

    public string Get(ReadOnlySpan<byte> modifiedUtf8)
    {
        if (modifiedUtf8.Length is 0 or > BytesMax)
        {
            return JavaText.Decode(modifiedUtf8);
        }

        uint hash = 2166136261;
        foreach (byte b in modifiedUtf8)
        {
            hash = (hash ^ b) * 16777619;
        }

        ref string? slot = ref _known[hash % Slots];
        return slot is not null && Ascii.Equals(modifiedUtf8, slot) ? slot : slot = JavaText.Decode(modifiedUtf8);
    }
}
