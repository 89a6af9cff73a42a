using System.Globalization;
using System.Xml;

namespace Pillarbox.Server.Cli;

/// <summary>Times and lengths of time, as people write them.</summary>
internal static class Moment
{
    /// <summary>What <see cref="ParseDuration"/> reads, for help texts.</summary>
    public const string DurationForms = "500ms, 30s, 15m, 12h, 7d or ISO 8601 like P1DT12H";

    private static readonly (string Suffix, double Ms)[] Units =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    /// <summary>A length of time; throws <see cref="CommandException"/>.</summary>
    public static TimeSpan ParseDuration(string text) => TryParseDuration(text, out TimeSpan length)
        ? length
        : throw new CommandException(ExitCode.Usage, $"'{text}' is no length of time: write {DurationForms}");

    private static bool TryParseDuration(string text, out TimeSpan length)
    {
        foreach ((string suffix, double ms) in Units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && double.TryParse(
                    text[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double n)
                && n * ms < TimeSpan.MaxValue.TotalMilliseconds)
            {
                length = TimeSpan.FromMilliseconds(n * ms);
                return true;
            }
        }

        try
        {
            length = XmlConvert.ToTimeSpan(text);
            return true;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            length = default;
            return false;
        }
    }

    /// <summary>A time as ISO 8601 has it (UTC when it does not say), or so long ago; throws
    /// <see cref="CommandException"/>.</summary>
    public static DateTimeOffset ParseTime(string text, TimeProvider clock)
    {
        if (!text.Contains('-') && !text.Contains(':') && TryParseDuration(text, out TimeSpan ago))
        {
            DateTimeOffset now = clock.GetUtcNow();
            return ago < now - DateTimeOffset.UnixEpoch
                ? now - ago
                : throw new CommandException(ExitCode.Usage, $"'{text}' ago is before 1970");
        }

        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            && time >= DateTimeOffset.UnixEpoch
            ? time
            : throw new CommandException(
                ExitCode.Usage, $"'{text}' is no time: write 2026-01-31T12:00:00Z, or how long ago: {DurationForms}");
    }
}
