using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>
/// A transaction over two partitions and a group's offset, by librdkafka, and at each of its points the program is
/// killed, or the client: afterwards all of it is there, or nothing, and what the client was told holds.
/// </summary>
public sealed class TransactionPointTests : IAsyncDisposable
{
    private const int Records = 10;
    private const int Partitions = 2;
    private const int Offset = 5;
    private const string Committing = "committing";
    private const string Committed = "committed";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    private readonly TemporaryDirectory _directory = new();
    private readonly string _servers = $"127.0.0.1:{LoopbackPort.Free()}";
    private PillarboxProcess? _node;

    public static TheoryData<string, bool> Points
    {
        get
        {
            TheoryData<string, bool> points = [];
            foreach (string point in (string[])["initialized", "begun", "sent", "offsets", Committing, Committed])
            {
                points.Add(point, true);
                points.Add(point, false);
            }

            return points;
        }
    }

    [Theory]
    [MemberData(nameof(Points))]
    public async Task A_transaction_is_whole_wherever_the_program_or_its_client_is_killed(string point, bool isNode)
    {
        string program = await Programs.KafkaCClient.Value;
        await StartNodeAsync();
        await RunAsync("stream", "create", "in");
        await RunAsync("stream", "create", "out", "--partitions", $"{Partitions}");
        using Process worker = ClientProcess.Start(program, [_servers, "transaction", "out", point], true);
        Task<string> errors = worker.StandardError.ReadToEndAsync();
        string said = await ReadToAsync(worker, $"at {point}");
        // While it commits it cannot be held.
        if (point == Committing) await GoOnAsync(worker);
        if (isNode) await KillNodeAsync();
        else worker.Kill();
        if (isNode && point != Committing) await GoOnAsync(worker);
        said += await worker.StandardOutput.ReadToEndAsync().WaitAsync(Timeout);
        await worker.WaitForExitAsync().WaitAsync(Timeout);
        Assert.True(!isNode || worker.ExitCode == 0, $"{said}\n{await errors}\n{_node!.Output}");

        // Who comes next with the same name ends what was left open.
        (await ClientProcess.RunAsync(program, [_servers, "transaction_end", "out"])).AssertOk();
        await WriteLaterAsync();
        (int records, int? offset) found = (await CountAsync() - Partitions, await OffsetAsync());
        Assert.True(found is (Records, Offset) or (0, null), $"{found} after\n{said}");
        bool isToldCommitted = said.Contains($"at {Committed}", StringComparison.Ordinal);
        bool isAsked = said.Contains($"at {Committing}", StringComparison.Ordinal);
        Assert.True(found.records == Records || !isToldCommitted, $"{found} after\n{said}");
        Assert.True(found.records == 0 || isAsked, $"{found} after\n{said}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    private async Task StartNodeAsync() => _node = await PillarboxProcess.StartAsync(
        _directory.File("data"), ownListeners: true, "--listen", $"kafka={_servers}", "--listen", "http=127.0.0.1:0");

    private async Task KillNodeAsync()
    {
        await _node!.KillAsync();
        await _node.DisposeAsync();
        await StartNodeAsync();
    }

    private static async Task<string> ReadToAsync(Process worker, string wanted)
    {
        string said = "";
        while (!said.EndsWith(wanted + "\n", StringComparison.Ordinal))
        {
            string? line = await worker.StandardOutput.ReadLineAsync().WaitAsync(Timeout);
            Assert.True(line is not null, $"it ended before '{wanted}':\n{said}");
            said += line + "\n";
        }

        return said;
    }

    private static async Task GoOnAsync(Process worker)
    {
        await worker.StandardInput.WriteLineAsync();
        await worker.StandardInput.FlushAsync();
    }

    private async Task<int> CountAsync()
    {
        string[] read =
            ["-b", _servers, "-C", "-t", "out", "-e", "-q", "-X", "isolation.level=read_committed", "-f", "%o\n"];
        ClientResult result = await ClientProcess.RunAsync("kcat", read);
        result.AssertExit(0);
        return result.Output.Count(c => c == '\n');
    }

    // One record for each partition, which committed readers get when nothing before it is open.
    private async Task WriteLaterAsync()
    {
        string file = _directory.File("later");
        await File.WriteAllTextAsync(file, "later");
        for (int partition = 0; partition < Partitions; partition++)
        {
            string[] write = ["-b", _servers, "-P", "-t", "out", "-p", $"{partition}", file];
            (await ClientProcess.RunAsync("kcat", write)).AssertExit(0);
        }
    }

    private async Task<int?> OffsetAsync()
    {
        string[] show = ["group", "show", "out", "-o", "json", "--url", _node!.HttpUrl];
        ClientResult result = await ClientProcess.RunAsync(Programs.Pillarbox, show);
        // There is no such group.
        if (result.ExitCode == 3) return null;
        result.AssertExit(0);
        return (int?)JsonNode.Parse(result.Output)!["offsets"]?.AsArray().SingleOrDefault()?["offset"];
    }

    private async Task RunAsync(params string[] arguments) =>
        (await ClientProcess.RunAsync(Programs.Pillarbox, [.. arguments, "--url", _node!.HttpUrl])).AssertExit(0);
}
