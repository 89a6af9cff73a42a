using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>Clients with reconnect go on by themselves after the node was killed and started again.</summary>
public sealed class ReconnectTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryDirectory _directory = new();

    [Theory]
    [InlineData("proton", "reconnect.py")]
    [InlineData("rhea", "reconnect.js")]
    public async Task A_client_goes_on_after_a_restart(string folder, string script)
    {
        string program = folder == "proton" ? Programs.Python : "node";
        PillarboxProcess node = await PillarboxProcess.StartAsync(_directory.File("data"));
        string address = node.Listener("amqp");
        string[] arguments = [Programs.Script(folder, script), node.AmqpHost, node.AmqpPort];
        using Process client = ClientProcess.Start(program, arguments);
        try
        {
            Assert.Equal("half", await client.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            await node.KillAsync();
            await node.DisposeAsync();
            node = await PillarboxProcess.StartAsync(
                _directory.File("data"), ownListeners: true,
                "--listen", $"amqp={address}", "--listen", "http=127.0.0.1:0");
            Assert.Equal("ok", await client.StandardOutput.ReadLineAsync().WaitAsync(Patience));
        }
        finally
        {
            if (!client.HasExited) client.Kill();
            await node.DisposeAsync();
        }
    }

    public ValueTask DisposeAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }
}
