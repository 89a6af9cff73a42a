using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>The Java client at a node with users.</summary>
public sealed class OpenWireLoginTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        string[] add = ["user", "add", "alice", "--data", _directory.File("data")];
        (await ClientProcess.RunAsync(Programs.Pillarbox, add, "correct horse battery\n")).AssertExit(0);
        _node = await PillarboxProcess.StartAsync(_directory.File("data"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_client_that_fails_over_gives_up_when_its_login_is_refused()
    {
        string port = _node.Listener("openwire").Split(':')[^1];
        (await JavaClient.RunAsync("LoginRefused", port, "alice", "wrong")).AssertOk();
        Assert.False(_node.HasExited, _node.Output);
    }
}
