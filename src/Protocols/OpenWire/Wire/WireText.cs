using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// A string of a message as its encoded bytes, so that a message that passes through costs no strings. A slice of the
/// frame: valid as long as that is.
/// </summary>
internal readonly struct WireText
{
    private WireText(ReadOnlyMemory<byte> bytes)
    {
        Bytes = bytes;
        IsPresent = true;
    }

    /// <summary>Java's modified UTF-8.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Whether there is one (it may be empty).</summary>
    public bool IsPresent { get; }

    public static WireText Absent => default;

    public static WireText FromBytes(ReadOnlyMemory<byte> modifiedUtf8) => new(modifiedUtf8);

    public static WireText From(string? text) => text is null ? default : new WireText(JavaText.Encode(text));

    /// <summary>The text; null when absent. Bytes that are none become U+FFFD.</summary>
    public override string? ToString() => IsPresent ? JavaText.Decode(Bytes.Span) : null;

    [ExcludeFromCodeCoverage]
    public override bool Equals(object? obj) => obj is WireText other && Bytes.Span.SequenceEqual(other.Bytes.Span)
        && IsPresent == other.IsPresent;

    [ExcludeFromCodeCoverage]
    public override int GetHashCode() => Bytes.Length;
}
