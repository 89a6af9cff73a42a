using System.Globalization;
using System.Text.RegularExpressions;

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
public readonly partial record struct ShareStart(ShareStartKind Kind, long BackMs = 0)
{
    private const string Duration = "by_duration:";
    private const long BackMsMax = 10_000L * 366 * 24 * 3_600_000;

    private static readonly (string Name, long Ms)[] Units =
        [("D", 86_400_000), ("H", 3_600_000), ("M", 60_000), ("S", 1_000)];

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

        long backMs = 0;
        bool isDuration = text.StartsWith(Duration, StringComparison.Ordinal)
            && TryParseDuration(text[Duration.Length..], out backMs);
        start = new ShareStart(ShareStartKind.ByDuration, backMs);
        return isDuration;
    }

    /// <summary>What is wrong with the value of a setting; null when nothing is.</summary>
    internal static string? Check(string name, string value) => TryParse(value, out _)
        ? null
        : $"{name} must be earliest, latest or by_duration:PnDTnHnMn.nS, not '{value}'";

    private static bool TryParseDuration(string text, out long milliseconds)
    {
        milliseconds = 0;
        if (DurationPattern().Match(text) is not { Success: true } match)
        {
            return false;
        }

        decimal sumMs = 0;
        foreach ((string name, long unitMs) in Units)
        {
            if (match.Groups[name] is { Success: true } group)
            {
                bool isNumber = decimal.TryParse(
                    group.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number);
                sumMs += isNumber && number <= BackMsMax ? number * unitMs : BackMsMax + 1;
            }
        }

        milliseconds = sumMs <= BackMsMax ? (long)sumMs : 0;
        return sumMs <= BackMsMax;
    }

    // At least one part, and at least one behind a T.
    [GeneratedRegex(
        @"^P(?!$)((?<D>[0-9]+)D)?(T(?=[0-9])((?<H>[0-9]+)H)?((?<M>[0-9]+)M)?((?<S>[0-9]+(\.[0-9]*)?|\.[0-9]+)S)?)?\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex DurationPattern();
}
