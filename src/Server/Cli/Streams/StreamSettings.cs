using System.CommandLine;
using System.Globalization;

namespace Pillarbox.Server.Cli.Streams;

/// <summary>The flags that say settings of a stream: short ones for the usual, <c>--config</c> for all.</summary>
internal sealed class StreamSettings
{
    private readonly Option<string?> _retention = new("--retention")
    {
        Description = $"How long records are kept: {Moment.DurationForms}, or forever.",
    };

    private readonly Option<bool> _compact = new("--compact")
    {
        Description = "Keep the last record of every key (cleanup.policy=compact).",
    };

    private readonly Option<string[]> _config = new("--config")
    {
        Description = "A setting by its name, as in retention.bytes=1073741824; repeatable.",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_retention);
        command.Options.Add(_compact);
        command.Options.Add(_config);
    }

    /// <summary>What was given, by name; throws <see cref="CommandException"/>.</summary>
    public Dictionary<string, string> Read(ParseResult parsed)
    {
        Dictionary<string, string> settings = Read(parsed.GetValue(_config) ?? []);
        if (parsed.GetValue(_compact))
        {
            settings.TryAdd("cleanup.policy", "compact");
        }

        if (parsed.GetValue(_retention) is { } retention)
        {
            settings.TryAdd("retention.ms", retention == "forever" ? "-1" : MillisecondsOf(retention));
        }

        return settings;
    }

    /// <summary>Settings by name, from <c>name=value</c>; throws <see cref="CommandException"/>.</summary>
    public static Dictionary<string, string> Read(IEnumerable<string> pairs)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string pair in pairs)
        {
            string[] parts = pair.Split('=', 2);
            if (parts.Length < 2 || parts[0].Length == 0)
            {
                throw new CommandException(ExitCode.Usage, $"--config takes name=value, not '{pair}'");
            }

            settings[parts[0]] = parts[1];
        }

        return settings;
    }

    private static string MillisecondsOf(string retention) =>
        ((long)Moment.ParseDuration(retention).TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
}
