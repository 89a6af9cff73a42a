using System.Diagnostics;
using System.Net.Sockets;
using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>What a node says of where it is found, to the Java client's failover transport.</summary>
public sealed class NodeListTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_client_goes_on_at_a_place_that_only_the_node_has_named()
    {
        int port = LoopbackPort.Free();
        string configuration = _directory.File("pillarbox.json");
        await File.WriteAllTextAsync(configuration, $$"""
            {
              "listeners": {
                "openwire": { "addresses": ["127.0.0.1:{{port}}"], "advertised": "127.0.0.1:{{port}}" }
              }
            }
            """);
        await using PillarboxProcess node = await PillarboxProcess.StartAsync(
            _directory.File("data"), ownListeners: true, "--config", configuration);
        var door = new Door(port);
        using Process client = await JavaClient.StartAsync("FailsOver", $"127.0.0.1:{door.Port}");
        try
        {
            Assert.Equal("ready", await client.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            // The only place that the client was told to go to is gone for good.
            await door.DisposeAsync();
            await client.StandardInput.WriteLineAsync();
            await client.StandardInput.FlushAsync();
            Assert.Equal("ok", await client.StandardOutput.ReadLineAsync().WaitAsync(Patience));
        }
        finally
        {
            await door.DisposeAsync();
            client.Kill();
        }
    }

    /// <summary>A way to the node that can be shut.</summary>
    private sealed class Door(int target) : LoopbackRelay
    {
        private bool _isShut;

        public override async ValueTask DisposeAsync()
        {
            if (!_isShut)
            {
                _isShut = true;
                await base.DisposeAsync();
            }
        }

        protected override async Task CarryAsync(TcpClient near, CancellationToken stop)
        {
            using var far = new TcpClient();
            await far.ConnectAsync("127.0.0.1", target, stop);
            Task there = near.GetStream().CopyToAsync(far.GetStream(), stop);
            Task back = far.GetStream().CopyToAsync(near.GetStream(), stop);
            await await Task.WhenAny(there, back);
        }
    }
}
