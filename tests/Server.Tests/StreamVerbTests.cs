using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Model.Records;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>The verbs of streams and groups, against a node in memory.</summary>
public sealed class StreamVerbTests : IAsyncLifetime
{
    private const long Noon = 1_767_268_800_000;
    private PillarboxTestHost _node = null!;

    public async ValueTask InitializeAsync() => _node = await PillarboxTestHost.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task Streams_are_made_listed_shown_altered_and_deleted()
    {
        CliResult made = await RunAsync(
            "stream", "create", "readings", "--partitions", "12", "--retention", "7d", "--config",
            "retention.bytes=1000000");
        Assert.Equal((0, "", ""), (made.ExitCode, made.Output, made.Errors));
        string[] lines = Lines((await RunAsync("stream", "list")).Output);
        Assert.StartsWith("NAME", lines[0], StringComparison.Ordinal);
        Assert.Equal(
            ["readings", "12", "0", "0", "0", "0", "retention.bytes=1000000", "retention.ms=604800000"],
            Words(lines[1]));

        CliResult altered = await RunAsync(
            "stream", "alter", "readings", "--partitions", "13", "--compact", "--unset", "retention.ms");
        Assert.Equal((0, "", ""), (altered.ExitCode, altered.Output, altered.Errors));
        JsonNode shown = JsonNode.Parse((await RunAsync("stream", "show", "readings", "-o", "json")).Output)!;
        Assert.Equal(13, shown["partitions"]!.AsArray().Count);
        Assert.Equal(
            """{"retention.bytes":"1000000","cleanup.policy":"compact"}""".Length,
            shown["config"]!.ToJsonString().Length);
        Assert.Contains(
            "settings           cleanup.policy=compact retention.bytes=1000000\n",
            (await RunAsync("stream", "show", "readings")).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("stream", "delete", "readings")).ExitCode);
        Assert.Single(Lines((await RunAsync("stream", "list")).Output));
    }

    [Fact]
    public async Task Tail_prints_the_last_records_or_those_from_a_moment_on()
    {
        await FillAsync();
        Assert.Equal("d\ne\n", (await RunAsync("stream", "tail", "readings", "-n", "2", "-o", "text")).Output);
        CliResult all = await RunAsync("stream", "tail", "readings", "--from", "first", "-o", "text");
        Assert.Equal("a\nb\nc\nd\ne\n", all.Output);
        Assert.Equal(
            "c\nd\n",
            (await RunAsync("stream", "tail", "readings", "--from", "2", "-n", "2", "-o", "text", "-p", "0")).Output);
        const string Time = "2026-01-01T12:00:00.003Z";
        Assert.Equal("d\ne\n", (await RunAsync("stream", "tail", "readings", "--from", Time, "-o", "text")).Output);
        string[] table = Lines((await RunAsync("stream", "tail", "readings", "-n", "1")).Output);
        Assert.Equal(["0", "4", "2026-01-01T12:00:00.004Z", "E", "e"], Words(table[1]));
        JsonNode json = JsonNode.Parse((await RunAsync("stream", "tail", "readings", "-n", "1", "-o", "json")).Output)!;
        Assert.Equal("E e", $"{json["key"]} {json["value"]}");
    }

    /// <summary>Times that go back and forth, and offsets without records: markers of transactions.</summary>
    [Fact]
    public async Task Tail_prints_records_of_a_partition_in_their_order_and_as_many_as_it_was_asked_for()
    {
        await FillAsync();
        await AppendAsync(Noon - 1000, "old");
        Assert.Equal("e\nold\n", (await RunAsync("stream", "tail", "readings", "-n", "2", "-o", "text")).Output);
        Partition partition = _node.Broker.Streams.Find("readings")!.Partitions[0];
        for (int i = 0; i < 40; i++)
        {
            AppendResult marker = partition.EndTransaction(
                7, 0, new EndTransactionMarker(IsCommit: true, CoordinatorEpoch: 0), isTransactionV2: false);
            Assert.Equal(StreamError.None, marker.Error);
        }

        while (partition.HighWatermark < partition.EndOffset)
        {
            await Task.Delay(5);
        }

        Assert.Equal("e\nold\n", (await RunAsync("stream", "tail", "readings", "-n", "2", "-o", "text")).Output);
        Assert.Equal(
            "a\nb\nc\nd\ne\nold\n", (await RunAsync("stream", "tail", "readings", "-o", "text")).Output);
    }

    [Fact]
    public async Task Tail_follows_until_it_has_its_count()
    {
        await FillAsync();
        Task<CliResult> following = RunAsync(
            "stream", "tail", "readings", "--from", "4", "-p", "0", "--follow", "-n", "2", "-o", "text");
        await AppendAsync(Noon + 10, "late");
        Assert.Equal((0, "e\nlate\n"), ((await following).ExitCode, (await following).Output));
    }

    /// <summary>While there is nothing to print, each read waits at the node. One that does not may come after each
    /// that brought something.</summary>
    [Fact]
    public async Task Tail_follows_by_reads_that_wait()
    {
        const string Idle = """{ "records": [], "positions": [{ "partition": 0, "offset": 2 }] }""";
        using var node = new ScriptedNode(
            StreamOf((0, 2)), ReadOf("a", 0, (0, 1)), ReadOf("b", 0, (0, 2)), Idle, Idle, Idle, ReadOf("c", 0, (0, 3)));
        CliResult all = await Cli.RunAsync(
            "stream", "tail", "readings", "--url", node.Url, "--from", "first", "-f", "-n", "3", "-o", "text");
        Assert.Equal((0, "a\nb\nc\n", ""), (all.ExitCode, all.Output, all.Errors));
        Assert.Equal([false, false, true, true, true, true], node.WaitsMs.Select(ms => ms > 0));
    }

    /// <summary>A partition that stops before its end has an open transaction there; another one goes on.</summary>
    [Fact]
    public async Task Tail_waits_too_while_a_transaction_is_open()
    {
        const string Idle =
            """{ "records": [], "positions": [{ "partition": 0, "offset": 3 }, { "partition": 1, "offset": 1 }] }""";
        using var node = new ScriptedNode(
            StreamOf((0, 5), (0, 0)), Idle, ReadOf("a", 1, (0, 3), (1, 1)), Idle, Idle, ReadOf("b", 1, (0, 3), (1, 2)));
        CliResult all = await Cli.RunAsync(
            "stream", "tail", "readings", "--url", node.Url, "--from", "first", "-f", "-n", "2", "-o", "text");
        Assert.Equal((0, "a\nb\n", ""), (all.ExitCode, all.Output, all.Errors));
        Assert.Equal([false, true, false, true, true], node.WaitsMs.Select(ms => ms > 0));
    }

    [Fact]
    public async Task Seek_says_where_a_moment_is()
    {
        await FillAsync();
        const string Time = "2026-01-01T12:00:00.001Z";
        string[] lines = Lines((await RunAsync("stream", "seek", "readings", "--at", Time)).Output);
        Assert.Equal(["0", "1", Time], Words(lines[1]));
        Assert.Equal(["1", "-", "-"], Words(lines[2]));
        lines = Lines((await RunAsync("stream", "seek", "readings", "--at", "last")).Output);
        Assert.Equal(["0", "5", "-"], Words(lines[1]));
    }

    [Fact]
    public async Task Groups_are_listed_shown_moved_and_deleted()
    {
        await FillAsync();
        await CommitAsync(2);
        string[] listed = Lines((await RunAsync("group", "list")).Output);
        Assert.Equal(["readers", "classic", "Empty", "0", "3"], Words(listed[1]));
        Assert.Equal(
            ["readings", "0", "2", "5", "3", "-"],
            Words(Lines((await RunAsync("group", "show", "readers")).Output)[^1]));

        CliResult tried = await RunAsync("group", "reset-offsets", "readers", "--to-earliest", "--dry-run");
        Assert.Equal(["readings", "0", "2", "0"], Words(Lines(tried.Output)[1]));
        Assert.Equal("pillarbox: nothing was changed; do it with --execute", tried.OneError);
        Assert.Equal(["readings", "0", "2", "5", "3", "-"], Words(
            Lines((await RunAsync("group", "show", "readers")).Output)[^1]));

        CliResult moved = await RunAsync(
            "group", "reset-offsets", "readers", "--stream", "readings:0", "--shift-by", "-1", "--execute", "-o",
            "json");
        Assert.Equal((0, ""), (moved.ExitCode, moved.Errors));
        Assert.True((bool?)JsonNode.Parse(moved.Output)!["executed"]);
        Assert.Equal(["readings", "0", "1", "5", "4", "-"], Words(
            Lines((await RunAsync("group", "show", "readers")).Output)[^1]));
        Assert.Equal(0, (await RunAsync("group", "delete", "readers")).ExitCode);
        Assert.Equal(3, (await RunAsync("group", "show", "readers")).ExitCode);
    }

    [Fact]
    public async Task Settings_of_a_group_are_changed_and_shown()
    {
        Assert.Equal(3, (await RunAsync("group", "show", "workers")).ExitCode);
        CliResult altered = await RunAsync(
            "group", "alter", "workers", "--config", "share.auto.offset.reset=by_duration:PT1H", "--config",
            "share.isolation.level=read_committed");
        Assert.Equal((0, "", ""), (altered.ExitCode, altered.Output, altered.Errors));
        CliResult shown = await RunAsync("group", "show", "workers");
        Assert.Contains(
            "share.auto.offset.reset=by_duration:PT1H share.isolation.level=read_committed", shown.Output,
            StringComparison.Ordinal);
        Assert.Equal(
            0, (await RunAsync("group", "alter", "workers", "--unset", "share.isolation.level")).ExitCode);
        JsonNode json = JsonNode.Parse((await RunAsync("group", "show", "workers", "-o", "json")).Output)!;
        Assert.Equal(
            """{"share.auto.offset.reset":"by_duration:PT1H"}""", json["config"]!.ToJsonString());
        Assert.Equal("share", (string?)json["type"]);

        CliResult wrong = await RunAsync("group", "alter", "workers", "--config", "share.isolation.level=all");
        Assert.Equal(
            (2, "pillarbox: share.isolation.level must be one of read_committed, read_uncommitted, not 'all'"),
            (wrong.ExitCode, wrong.OneError));
        Assert.Equal(2, (await RunAsync("group", "alter", "workers", "--unset", "share.isolation")).ExitCode);
        Assert.Equal(2, (await RunAsync("group", "alter", "workers")).ExitCode);
    }

    [Fact]
    public async Task A_reset_of_a_group_that_has_committed_nothing_says_what_to_do()
    {
        await FillAsync();
        await BeatAsync(epoch: 0);
        await BeatAsync(epoch: -1);
        CliResult reset = await RunAsync("group", "reset-offsets", "idle", "--to-earliest");
        Assert.Equal(
            (0, "pillarbox: the group has no offsets: name streams with --stream"), (reset.ExitCode, reset.OneError));
        reset = await RunAsync("group", "reset-offsets", "idle", "--to-earliest", "--stream", "readings:0");
        Assert.Equal(["readings", "0", "-", "0"], Words(Lines(reset.Output)[1]));
    }

    [Theory]
    [InlineData("--to-datetime", "2026-01-01T12:00:00.002Z", "2")]
    [InlineData("--by-duration", "1ms", "5")]
    [InlineData("--to-offset", "3", "3")]
    [InlineData("--to-latest", null, "5")]
    public async Task Every_target_of_a_reset_is_understood(string option, string? value, string after)
    {
        await FillAsync();
        await CommitAsync(1);
        string[] target = value is null ? [option] : [option, value];
        CliResult result = await RunAsync(["group", "reset-offsets", "readers", .. target]);
        Assert.Equal(["readings", "0", "1", after], Words(Lines(result.Output)[1]));
    }

    [Fact]
    public async Task Exit_codes_and_errors_say_what_to_do()
    {
        CliResult missing = await RunAsync("stream", "show", "nope");
        Assert.Equal((3, "pillarbox: there is no stream 'nope'"), (missing.ExitCode, missing.OneError));
        await RunAsync("stream", "create", "readings", "--partitions", "2");
        Assert.Equal(6, (await RunAsync("stream", "create", "readings", "--partitions", "3")).ExitCode);
        Assert.Equal(2, (await RunAsync("stream", "create", "a b")).ExitCode);
        CliResult dots = await RunAsync("stream", "delete", "..");
        Assert.Equal((2, "pillarbox: '..' is no name that can be asked for"), (dots.ExitCode, dots.OneError));
        CliResult setting = await RunAsync("stream", "create", "x", "--config", "retention.mss=1");
        Assert.Equal((2, "pillarbox: there is no setting 'retention.mss'"), (setting.ExitCode, setting.OneError));
        Assert.Equal(2, (await RunAsync("stream", "create", "x", "--retention", "soon")).ExitCode);
        Assert.Equal(2, (await RunAsync("stream", "alter", "readings")).ExitCode);
        Assert.Equal(2, (await RunAsync("stream", "alter", "readings", "--partitions", "1")).ExitCode);
        Assert.Equal(3, (await RunAsync("stream", "tail", "readings", "-p", "2")).ExitCode);
        Assert.Equal(2, (await RunAsync("stream", "seek", "readings", "--at", "whenever")).ExitCode);
        Assert.Equal(3, (await RunAsync("group", "delete", "nope")).ExitCode);
        Assert.Equal(2, (await RunAsync("group", "reset-offsets", "g")).ExitCode);
        CliResult both = await RunAsync("group", "reset-offsets", "g", "--to-latest", "--dry-run", "--execute");
        Assert.Equal((2, "pillarbox: say --dry-run or --execute, not both"), (both.ExitCode, both.OneError));
    }

    private static string StreamOf(params (long Start, long End)[] partitions) =>
        $$"""
        { "name": "readings", "id": "{{Guid.Empty}}", "internal": false, "createdAt": "2026-01-01T12:00:00Z",
          "partitionCount": {{partitions.Length}}, "records": 0, "sizeBytes": 0, "appendedRecordsTotal": 0,
          "appendedBytesTotal": 0, "readBytesTotal": 0, "config": {},
          "partitions": [{{string.Join(',', partitions.Select((p, i) => $$"""
            { "partition": {{i}}, "startOffset": {{p.Start}}, "endOffset": {{p.End}},
              "lastStableOffset": {{p.End}}, "leaderEpoch": 0, "sizeBytes": 0 }
            """))}}] }
        """;

    private static string ReadOf(string value, int partition, params (int Partition, long Offset)[] positions) =>
        $$"""
        { "records": [{ "partition": {{partition}}, "offset": 0, "timestamp": "2026-01-01T12:00:00Z",
                        "value": "{{value}}", "valueBytes": 1, "headers": [] }],
          "positions": [{{string.Join(',', positions.Select(p =>
              $$"""{ "partition": {{p.Partition}}, "offset": {{p.Offset}} }"""))}}] }
        """;

    private async Task FillAsync()
    {
        await RunAsync("stream", "create", "readings", "--partitions", "2", "--retention", "forever");
        await AppendAsync(Noon, "a", "b", "c", "d", "e");
    }

    private async Task AppendAsync(long timestampMs, params string[] values)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new RecordBatchOptions());
        foreach (string value in values)
        {
            builder.Add(new RecordContent
            {
                TimestampMs = timestampMs++,
                HasKey = true,
                Key = Encoding.UTF8.GetBytes(value.ToUpperInvariant()),
                HasValue = true,
                Value = Encoding.UTF8.GetBytes(value),
            });
        }

        Partition target = _node.Broker.Streams.Find("readings")!.FindPartition(0)!;
        AppendResult result = target.Append(builder.Finish().Span, new AppendOptions());
        Assert.Equal(StreamError.None, result.Error);
        while (target.HighWatermark <= result.LastOffset)
        {
            await Task.Delay(5);
        }
    }

    private async Task CommitAsync(long offset)
    {
        var answer = new TaskCompletionSource<OffsetCommitResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _node.Broker.Coordinators.Groups.CommitOffsets(
            new OffsetCommitRequest
            {
                Member = new GroupMemberRef("readers", -1, "", null),
                Offsets = [new OffsetToCommit(new TopicPartition("readings", 0), offset, -1, null)],
            },
            answer.SetResult);
        Assert.Equal(CoordinatorError.None, (await answer.Task).Error);
    }

    // A member comes (0), or goes (-1).
    private async Task BeatAsync(int epoch)
    {
        var answer = new TaskCompletionSource<ConsumerHeartbeatResult>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        _node.Broker.Coordinators.Groups.ConsumerHeartbeat(
            new ConsumerHeartbeatRequest
            {
                GroupId = "idle",
                MemberId = "m1",
                MemberEpoch = epoch,
                RebalanceTimeoutMs = 60_000,
                SubscribedTopics = ["readings"],
                Owned = [],
                Client = new GroupClient("reader", "127.0.0.1"),
            },
            answer.SetResult);
        Assert.Equal(CoordinatorError.None, (await answer.Task).Error);
    }

    private Task<CliResult> RunAsync(params string[] arguments) =>
        Cli.RunWithAsync(null, new Dictionary<string, string> { ["PILLARBOX_URL"] = _node.HttpUrl }, arguments);

    private static string[] Lines(string output) => output.TrimEnd('\n').Split('\n');

    private static string[] Words(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
