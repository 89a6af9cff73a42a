using System.Text;

namespace Pillarbox.Router.LinkState;

/// <summary>Rules for ids of routers.</summary>
public static class RouterId
{
    /// <summary>
    /// Not empty, not too long, not a word with a meaning of its own, no blanks or control characters.
    /// </summary>
    public static bool IsValid(string id) =>
        id.Length > 0 && id != ControlAddress.All && Encoding.UTF8.GetByteCount(id) <= RouterLimits.IdBytesMax
        && !id.Any(c => char.IsControl(c) || char.IsWhiteSpace(c));

    /// <summary>
    /// The order that decides between ways of equal cost, the same on all routers: by code points, which for UTF-16 is
    /// not the order of its units.
    /// </summary>
    public static int Compare(string? left, string? right)
    {
        (left, right) = (left ?? "", right ?? "");
        int shared = Math.Min(left.Length, right.Length);
        for (int i = 0; i < shared; i++)
        {
            if (left[i] != right[i])
            {
                return Rank(left[i]) - Rank(right[i]);
            }
        }
        return left.Length - right.Length;
    }

    // Surrogates stand for the highest code points.
    private static int Rank(char unit) => char.IsSurrogate(unit) ? unit + char.MaxValue : unit;
}
