using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary><c>pillarbox run</c>: its lines, its ends, and what it refuses.</summary>
public sealed class RunVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task It_prints_its_listeners_then_ready_and_ends_well_on_a_signal(string signal)
    {
        using Process node = Run();
        Assert.Matches(@"^listening amqp 127\.0\.0\.1:\d+$", await node.StandardOutput.ReadLineAsync());
        Assert.Matches(@"^listening http 127\.0\.0\.1:\d+$", await node.StandardOutput.ReadLineAsync());
        Assert.Equal("ready", await node.StandardOutput.ReadLineAsync());
        using Process kill = Process.Start("kill", [$"-{signal}", $"{node.Id}"]);
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        try
        {
            await node.WaitForExitAsync(late.Token);
        }
        finally
        {
            node.Kill();
        }

        Assert.Equal(0, node.ExitCode);
    }

    [Fact]
    public async Task The_service_manager_hears_when_it_is_ready_and_when_it_stops()
    {
        string path = _folder.File("notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));
        using Process node = Cli.Start(new Dictionary<string, string> { ["NOTIFY_SOCKET"] = path }, Arguments());
        Assert.Equal("READY=1", await HeardAsync(manager));
        await EndAsync(node);
        Assert.Equal("STOPPING=1", await HeardAsync(manager));
        Assert.Equal(0, node.ExitCode);
    }

    [Fact]
    public async Task A_second_node_on_the_same_data_is_refused_in_one_line()
    {
        using Process first = Run();
        await ReadyAsync(first);
        CliResult second = await Cli.RunAsync([.. Arguments()]);
        await EndAsync(first);
        Assert.Equal(1, second.ExitCode);
        Assert.Contains(_folder.Path, LastLine(second), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_waypoint_needs_a_broker_to_go_to()
    {
        CliResult result = await Cli.RunAsync(
            "run", "--data", _folder.Path, "--mode", "interior", "--waypoint", "work");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--connect route-container=HOST:PORT; there are 0", LastLine(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_refused_in_one_line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        CliResult result = await Cli.RunAsync("run", "--data", _folder.Path, "--listen", $"amqp={other.LocalEndpoint}");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the port is in use", LastLine(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_users_it_listens_on_this_machine_only()
    {
        CliResult result = await Cli.RunAsync("run", "--data", _folder.Path, "--listen", "amqp=0.0.0.0:0");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("refused, for without users anybody could connect", result.OneError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_a_user_it_listens_everywhere_and_asks_for_the_login()
    {
        CliResult added = await Cli.RunWithAsync(
            "secret\n", null, "user", "add", "alice", "--role", "admin", "--data", _folder.Path);
        Assert.Equal(0, added.ExitCode);
        using Process node = Cli.Start(null, "run", "--data", _folder.Path, "--listen", "http=0.0.0.0:0");
        string line = (await node.StandardOutput.ReadLineAsync())!;
        await node.StandardOutput.ReadLineAsync();
        using var http = new HttpClient();
        string url = $"http://127.0.0.1:{line[(line.LastIndexOf(':') + 1)..]}/api/v1/queues";
        using HttpResponseMessage refused = await http.GetAsync(url);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:secret")));
        using HttpResponseMessage allowed = await http.GetAsync(url);
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        await EndAsync(node);
    }

    [Fact]
    public async Task A_broken_certificate_is_refused_in_one_line()
    {
        string broken = _folder.Write("c.pem", "x");
        string config = _folder.Write("tls.json", $$"""
            { "listeners": { "amqp": { "addresses": ["127.0.0.1:0"], "tls": { "certificate": "{{broken}}" } } } }
            """);
        CliResult result = await Cli.RunAsync("run", "--data", _folder.File("data"), "--config", config);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("cannot use the certificate", LastLine(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_that_is_a_file_is_named_as_one()
    {
        string file = _folder.Write("notes", "mine");
        CliResult result = await Cli.RunAsync("run", "--data", file, "--listen", "amqp=127.0.0.1:0");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(
            $"cannot create the directory {file}: a file of this name is there; name another directory",
            result.OneError, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Data_that_cannot_be_written_is_refused_in_one_line()
    {
        string file = _folder.Write("file", "not a directory");
        CliResult result = await Cli.RunAsync("run", "--data", $"{file}/data", "--listen", "amqp=127.0.0.1:0");
        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("unexpected", result.OneError, StringComparison.Ordinal);
    }

    private static string LastLine(CliResult result)
    {
        string line = result.Errors.TrimEnd('\n').Split('\n')[^1];
        Assert.StartsWith("pillarbox: ", line, StringComparison.Ordinal);
        return line;
    }

    private static async Task<string> HeardAsync(Socket socket)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        byte[] buffer = new byte[256];
        int read = await socket.ReceiveAsync(buffer, SocketFlags.None, late.Token);
        return Encoding.UTF8.GetString(buffer, 0, read);
    }

    private string[] Arguments() =>
        ["run", "--data", _folder.Path, "--listen", "amqp=127.0.0.1:0", "--listen", "http=127.0.0.1:0"];

    private Process Run() => Cli.Start(null, Arguments());

    private static async Task ReadyAsync(Process node)
    {
        while (await node.StandardOutput.ReadLineAsync() is not (null or "ready"))
        {
        }
    }

    private static async Task EndAsync(Process node)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{node.Id}"]);
        await node.WaitForExitAsync();
    }
}
