using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Model;

/// <summary>
/// A name as clients write it: <c>address</c> or <c>address::queue</c>.
/// Names are at most <see cref="CharsMax"/> UTF-16 units, not empty, and hold no control characters.
/// </summary>
/// <param name="Address">The address part, never empty.</param>
/// <param name="Queue">The queue part of a fully qualified name, or null.</param>
public readonly record struct AddressName(string Address, string? Queue)
{
    /// <summary>The longest name, in UTF-16 units, each part.</summary>
    public const int CharsMax = 1024;

    /// <summary>The mark between address and queue.</summary>
    public const string Separator = "::";

    /// <summary>Reads a name; false with a sentence for the user when it is not one.</summary>
    public static bool TryParse(string? text, out AddressName name, [NotNullWhen(false)] out string? error)
    {
        name = default;
        error = null;
        if (string.IsNullOrEmpty(text))
        {
            error = "the address is empty";
            return false;
        }

        int at = text.IndexOf(Separator, StringComparison.Ordinal);
        string address = at < 0 ? text : text[..at];
        string? queue = at < 0 ? null : text[(at + Separator.Length)..];
        error = Check(address, "address") ?? (queue is null ? null : Check(queue, "queue name"));
        if (error is not null)
        {
            return false;
        }

        name = new AddressName(address, queue);
        return true;
    }

    /// <summary>A sentence that says what is wrong with one part of a name, or null when it is fine.</summary>
    public static string? Check(string part, string what)
    {
        if (part.Length == 0)
        {
            return $"the {what} is empty";
        }

        if (part.Length > CharsMax)
        {
            return $"the {what} is {part.Length} characters long; at most {CharsMax} are allowed";
        }

        foreach (char c in part)
        {
            if (char.IsControl(c))
            {
                return $"the {what} holds the control character U+{(int)c:X4}";
            }
        }

        return part.Contains(Separator, StringComparison.Ordinal) ? $"the {what} holds '::' more than once" : null;
    }

    /// <inheritdoc/>
    public override string ToString() => Queue is null ? Address : Address + Separator + Queue;
}
