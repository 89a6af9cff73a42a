using System.CommandLine;
using System.Globalization;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Streams;

/// <summary><c>pillarbox group reset-offsets</c>: says where a group would go on, and does it with
/// <c>--execute</c>.</summary>
internal static class GroupReset
{
    private static readonly Option<string[]> Streams = new("--stream")
    {
        Description = "A stream, or some of its partitions: readings or readings:0,3; repeatable "
            + "(default: all that the group has offsets of).",
    };

    private static readonly Option<bool> ToEarliest = new("--to-earliest")
    {
        Description = "Go on with the first record that is left.",
    };

    private static readonly Option<bool> ToLatest = new("--to-latest")
    {
        Description = "Go on behind the last record.",
    };

    private static readonly Option<long?> ToOffset = new("--to-offset") { Description = "Go on at this offset." };

    private static readonly Option<string?> ToTime = new("--to-datetime")
    {
        Description = "Go on with the first record at least as young as 2026-01-31T12:00:00Z.",
    };

    private static readonly Option<long?> ShiftBy = new("--shift-by")
    {
        Description = "Go on so many records later, or earlier when negative.",
    };

    private static readonly Option<string?> ByDuration = new("--by-duration")
    {
        Description = $"Go on with the first record of the last {Moment.DurationForms}.",
    };

    private static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "Only say what would be (that is the default).",
    };

    private static readonly Option<bool> Execute = new("--execute") { Description = "Do it." };

    public static Command Create()
    {
        Argument<string> name = GroupCommands.Name();
        var verb = new ApiVerb("reset-offsets", "Move the committed offsets of a group that has no members.")
        {
            name, Streams, ToEarliest, ToLatest, ToOffset, ToTime, ShiftBy, ByDuration, DryRun, Execute,
        };
        return verb.Reads(async (api, parsed, cancellation) =>
        {
            OffsetReset reset = Read(parsed);
            OffsetResetResult result = await api.PostAsync(
                $"{GroupCommands.One(parsed.GetValue(name)!)}/reset-offsets", reset, ApiJson.Default.OffsetReset,
                ApiJson.Default.OffsetResetResult, cancellation);
            return new Reading(
                () => Output.Json(result, ApiJson.Default.OffsetResetResult), () => Print(result));
        });
    }

    private static void Print(OffsetResetResult result)
    {
        Output.Table(["stream", "partition#", "committed#", "new#"], result.Moves.Select(m => (string[])
            [m.Stream, $"{m.Partition}", m.Before is { } before ? $"{before}" : "-", $"{m.After}"]));
        if (result.Moves.Count == 0)
        {
            Console.Error.WriteLine("pillarbox: the group has no offsets: name streams with --stream");
        }
        else if (!result.Executed)
        {
            Console.Error.WriteLine("pillarbox: nothing was changed; do it with --execute");
        }
    }

    private static OffsetReset Read(ParseResult parsed)
    {
        OffsetReset[] targets = [.. Targets(parsed)];
        if (targets.Length != 1)
        {
            throw new CommandException(
                ExitCode.Usage, "say exactly one of --to-earliest, --to-latest, --to-offset, --to-datetime, "
                + "--shift-by and --by-duration");
        }

        if (parsed.GetValue(DryRun) && parsed.GetValue(Execute))
        {
            throw new CommandException(ExitCode.Usage, "say --dry-run or --execute, not both");
        }

        string[] streams = parsed.GetValue(Streams) ?? [];
        return targets[0] with
        {
            Execute = parsed.GetValue(Execute),
            Streams = streams.Length == 0 ? null : [.. streams.Select(ParseStream)],
        };
    }

    private static IEnumerable<OffsetReset> Targets(ParseResult parsed)
    {
        if (parsed.GetValue(ToEarliest))
        {
            yield return new OffsetReset { To = "earliest" };
        }

        if (parsed.GetValue(ToLatest))
        {
            yield return new OffsetReset { To = "latest" };
        }

        if (parsed.GetValue(ToOffset) is { } offset)
        {
            yield return new OffsetReset { To = "offset", Value = offset };
        }

        if (parsed.GetValue(ToTime) is { } time)
        {
            yield return new OffsetReset { To = "time", Time = Moment.ParseTime(time, TimeProvider.System) };
        }

        if (parsed.GetValue(ShiftBy) is { } records)
        {
            yield return new OffsetReset { To = "shift", Value = records };
        }

        if (parsed.GetValue(ByDuration) is { } duration)
        {
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            yield return new OffsetReset { To = "time", Time = now - Moment.ParseDuration(duration) };
        }
    }

    private static OffsetResetStream ParseStream(string text)
    {
        string[] parts = text.Split(':', 2);
        if (parts.Length == 1)
        {
            return new OffsetResetStream(text, null);
        }

        List<int> partitions = [];
        foreach (string part in parts[1].Split(','))
        {
            partitions.Add(int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw new CommandException(
                    ExitCode.Usage, $"--stream takes readings or readings:0,3, not '{text}'"));
        }

        return new OffsetResetStream(parts[0], partitions);
    }
}
