using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary><c>pillarbox perf mqtt|stomp|openwire</c> at a node with users: the login, and one line where it is
/// refused.</summary>
public sealed class PerfLoginTests : IAsyncLifetime
{
    private const int Denied = 4;
    private const string Password = "correct horse battery";

    private readonly TemporaryDirectory _directory = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        string[] add = ["user", "add", "alice", "--role", "admin", "--data", _directory.File("data")];
        (await ClientProcess.RunAsync(Programs.Pillarbox, add, Password + "\n")).AssertExit(0);
        _node = await PillarboxProcess.StartAsync(_directory.File("data"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("mqtt", "bad user name or password")]
    [InlineData("stomp", "password")]
    [InlineData("openwire", "java.lang.SecurityException")]
    public async Task Who_is_refused_is_told_why_in_one_line(string protocol, string why)
    {
        (await MeasureAsync(protocol, Password)).AssertExit(0);
        ClientResult refused = await MeasureAsync(protocol, "wrong");
        refused.AssertExit(Denied);
        string line = Assert.Single(refused.Errors.TrimEnd().Split('\n'));
        Assert.Contains("the server refuses the login: ", line, StringComparison.Ordinal);
        Assert.Contains(why, line, StringComparison.Ordinal);
        Assert.Equal("", refused.Output);
    }

    private async Task<ClientResult> MeasureAsync(string protocol, string password)
    {
        string file = _directory.File("password");
        await File.WriteAllTextAsync(file, password + "\n");
        string[] command =
        [
            "perf", protocol, "--url", _node.Listener(protocol), "--user", "alice", "--password-file", file,
            "--warm-up", "0.1", "--duration", "0.2", "--output", "json",
        ];
        return await ClientProcess.RunAsync(Programs.Pillarbox, command);
    }
}
