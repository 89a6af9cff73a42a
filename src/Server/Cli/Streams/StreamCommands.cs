using System.CommandLine;
using System.Globalization;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Streams;

/// <summary><c>pillarbox stream …</c>: streams and what is in them.</summary>
internal static class StreamCommands
{
    public const string Path = "/api/v1/streams";

    public static Command Create() => new("stream", "Streams: list, show, create, alter, delete, tail, seek.")
    {
        List(), Show(), Make(), Alter(), Delete(), StreamTail.Create(), Seek(),
    };

    /// <summary>The argument that names a stream.</summary>
    public static Argument<string> Name() => new("stream") { Description = "The stream's name." };

    /// <summary>The path of one stream.</summary>
    public static string One(string stream) => $"{Path}/{ApiClient.Part(stream)}";

    private static Command List()
    {
        Option<string?> filter = new("--filter") { Description = "Only streams whose name holds this text." };
        Option<bool> all = new("--internal") { Description = "The node's own streams too." };
        return new ApiVerb("list", "List streams.") { filter, all }.Reads(async (api, parsed, cancellation) =>
        {
            string query = $"?internal={(parsed.GetValue(all) ? "true" : "false")}"
                + (parsed.GetValue(filter) is { } text ? $"&filter={ApiClient.Part(text)}" : "");
            var streams = await api.ListAsync(Path + query, ApiJson.Default.PageStreamResource, cancellation);
            var page = new Page<StreamResource>(streams, streams.Count, 1, streams.Count);
            return new Reading(
                () => Output.Json(page, ApiJson.Default.PageStreamResource),
                () => Output.Table(
                    ["name", "partitions#", "records#", "bytes#", "appended#", "read bytes#", "settings"],
                    streams.Select(Row)));
        });
    }

    private static string[] Row(StreamResource s) =>
    [
        s.Name, $"{s.PartitionCount}", $"{s.Records}", $"{s.SizeBytes}", $"{s.AppendedRecordsTotal}",
        $"{s.ReadBytesTotal}", SettingsOf(s),
    ];

    private static string SettingsOf(StreamResource stream) => string.Join(
        ' ', stream.Config.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}={c.Value}"));

    private static Command Show()
    {
        Argument<string> name = Name();
        return new ApiVerb("show", "Show one stream with its partitions.") { name }.Reads(
            async (api, parsed, cancellation) =>
            {
                StreamResource stream = await api.GetAsync(
                    One(parsed.GetValue(name)!), ApiJson.Default.StreamResource, cancellation);
                return new Reading(
                    () => Output.Json(stream, ApiJson.Default.StreamResource), () => PrintStream(stream));
            });
    }

    private static void PrintStream(StreamResource stream)
    {
        Output.Fields(
        [
            ("name", stream.Name), ("id", $"{stream.Id}"), ("created", $"{stream.CreatedAt:yyyy-MM-ddTHH:mm:ssZ}"),
            ("records", $"{stream.Records}"), ("bytes", $"{stream.SizeBytes}"),
            ("appended", $"{stream.AppendedRecordsTotal} records, {stream.AppendedBytesTotal} bytes"),
            ("read", $"{stream.ReadBytesTotal} bytes"), ("settings", SettingsOf(stream)),
        ]);
        Console.WriteLine();
        Output.Table(
            ["partition#", "start#", "end#", "stable#", "epoch#", "bytes#"],
            (stream.Partitions ?? []).Select(p => (string[])
            [
                $"{p.Partition}", $"{p.StartOffset}", $"{p.EndOffset}", $"{p.LastStableOffset}", $"{p.LeaderEpoch}",
                $"{p.SizeBytes}",
            ]));
    }

    private static Command Make()
    {
        Argument<string> name = Name();
        Option<int?> partitions = new("--partitions") { Description = "How many (default: the node's, usually 1)." };
        var settings = new StreamSettings();
        var verb = new ApiVerb("create", "Make a stream.") { name, partitions };
        settings.AddTo(verb);
        return verb.Does((api, parsed, cancellation) => api.PutAsync(
            One(parsed.GetValue(name)!),
            new StreamCreation { Partitions = parsed.GetValue(partitions), Config = settings.Read(parsed) },
            ApiJson.Default.StreamCreation, cancellation));
    }

    private static Command Alter()
    {
        Argument<string> name = Name();
        Option<int?> partitions = new("--partitions") { Description = "So many partitions; only more than there are." };
        Option<string[]> reset = new("--unset") { Description = "Give a setting its default again; repeatable." };
        var settings = new StreamSettings();
        var verb = new ApiVerb("alter", "Change a stream's settings, or add partitions.") { name, partitions, reset };
        settings.AddTo(verb);
        return verb.Does((api, parsed, cancellation) =>
        {
            Dictionary<string, string> set = settings.Read(parsed);
            string[] unset = parsed.GetValue(reset) ?? [];
            if (set.Count == 0 && unset.Length == 0 && parsed.GetValue(partitions) is null)
            {
                throw new CommandException(
                    ExitCode.Usage, "nothing to change: give --partitions, --retention, --config or --unset");
            }

            return api.PatchAsync(
                One(parsed.GetValue(name)!),
                new StreamChange { Partitions = parsed.GetValue(partitions), Set = set, Reset = unset },
                ApiJson.Default.StreamChange, cancellation);
        });
    }

    private static Command Delete()
    {
        Argument<string> name = Name();
        return new ApiVerb("delete", "Delete a stream with its records.") { name }.Does((api, parsed, cancellation) =>
            api.SendAsync(HttpMethod.Delete, One(parsed.GetValue(name)!), cancellation));
    }

    private static Command Seek()
    {
        Argument<string> name = Name();
        Option<string> at = new("--at")
        {
            Description = "first, last, youngest (the record with the largest time), a time like "
                + $"2026-01-31T12:00:00Z, or how long ago: {Moment.DurationForms}.",
            Required = true,
        };
        return new ApiVerb("seek", "Say at which offset of each partition a moment is.") { name, at }.Reads(
            async (api, parsed, cancellation) =>
            {
                string path = $"{One(parsed.GetValue(name)!)}/offsets?at={ApiClient.Part(AtOf(parsed.GetValue(at)!))}";
                var offsets = await api.GetAsync(path, ApiJson.Default.IReadOnlyListStreamOffset, cancellation);
                return new Reading(
                    () => Output.Json(offsets, ApiJson.Default.IReadOnlyListStreamOffset),
                    () => Output.Table(
                        ["partition#", "offset#", "time"],
                        offsets.Select(o => (string[])
                        [
                            $"{o.Partition}", o.Offset is { } offset ? $"{offset}" : "-",
                            o.Timestamp is { } time ? $"{time:yyyy-MM-ddTHH:mm:ss.fffZ}" : "-",
                        ])));
            });
    }

    private static string AtOf(string text) => text is "first" or "last" or "youngest"
        ? text
        : Moment.ParseTime(text, TimeProvider.System).UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
