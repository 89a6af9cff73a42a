using System.Buffers;
using System.Globalization;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>The kinds of places where a share group may begin.</summary>
public enum ShareStartKind : byte
{
    /// <summary>At the end: with what comes from then on.</summary>
    Latest,

    /// <summary>At the first record that is there.</summary>
    Earliest,

    /// <summary>At the first record that is not older than some time; at the end when there is none.</summary>
    ByDuration,
}

/// <summary>Where a share group begins in a partition that it has never read.</summary>
/// <param name="Kind">What kind of place.</param>
/// <param name="BackMs">With <see cref="ShareStartKind.ByDuration"/>: how long ago, in milliseconds, at most 10,000
/// years.</param>
public readonly record struct ShareStart(ShareStartKind Kind, long BackMs = 0)
{
    private const string Duration = "by_duration:";
    private const long BackMsMax = 10_000L * 366 * 24 * 3_600_000;

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    // In the order in which they may stand; all but the first behind a T.
    private static readonly (char Name, long Ms)[] Units =
        [('D', 86_400_000), ('H', 3_600_000), ('M', 60_000), ('S', 1_000)];

    /// <summary>At the end.</summary>
    public static ShareStart Latest => new(ShareStartKind.Latest);

    /// <summary>At the first record that is there.</summary>
    public static ShareStart Earliest => new(ShareStartKind.Earliest);

    /// <summary>Reads <c>latest</c>, <c>earliest</c> or <c>by_duration:PnDTnHnMn.nS</c>, a duration of ISO 8601 that is
    /// not negative.</summary>
    public static bool TryParse(string text, out ShareStart start)
    {
        start = text == "earliest" ? Earliest : Latest;
        if (text is "earliest" or "latest")
        {
            return true;
        }

        bool isDuration = text.StartsWith(Duration, StringComparison.Ordinal)
            & TryParseDuration(text.AsSpan(Math.Min(text.Length, Duration.Length)), out long backMs);
        start = new ShareStart(ShareStartKind.ByDuration, backMs);
        return isDuration;
    }

    /// <summary>What is wrong with the value of a setting; null when nothing is.</summary>
    internal static string? Check(string name, string value) => TryParse(value, out _)
        ? null
        : $"{name} must be earliest, latest or by_duration:PnDTnHnMn.nS, not '{value}'";

    private static bool TryParseDuration(ReadOnlySpan<char> text, out long milliseconds)
    {
        milliseconds = 0;
        if (text.Length < 2 || text[0] is not ('P' or 'p'))
        {
            return false;
        }

        decimal sumMs = 0;
        int next = 0;
        text = text[1..];
        while (!text.IsEmpty)
        {
            if (next <= 1 && text.Length > 1 && text[0] is 'T' or 't')
            {
                // Once, and something comes behind it.
                text = text[1..];
                next = 2;
            }

            int digits = text.IndexOfAnyExcept(Digits);
            int unit = digits <= 0 ? -1 : UnitOf(text[digits], next);
            if (unit < 0 || !TryParseNumber(text[..digits], isWhole: unit < 3, out decimal number))
            {
                return false;
            }

            sumMs += number * Units[unit].Ms;
            next = unit == 0 ? 1 : unit + 2;
            text = text[(digits + 1)..];
        }

        milliseconds = sumMs <= BackMsMax ? (long)sumMs : 0;
        return sumMs <= BackMsMax;
    }

    // next: 0 = all may come, 1 = days are over, from 2 on = behind the T, and which comes first.
    private static int UnitOf(char name, int next)
    {
        int first = next < 2 ? 0 : next - 1;
        int last = next == 0 ? 0 : next == 1 ? -1 : Units.Length - 1;
        for (int unit = first; unit <= last; unit++)
        {
            if (char.ToUpperInvariant(name) == Units[unit].Name)
            {
                return unit;
            }
        }

        return -1;
    }

    private static bool TryParseNumber(ReadOnlySpan<char> text, bool isWhole, out decimal number) =>
        decimal.TryParse(
            text, isWhole ? NumberStyles.None : NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out number) && number <= BackMsMax;
}
