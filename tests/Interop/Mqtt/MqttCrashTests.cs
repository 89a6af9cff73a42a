using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Pillarbox.Interop.Tests.Mqtt;

/// <summary>
/// The program is killed under load, again and again, while paho publishes and subscribes with sessions that go on: no
/// acknowledged message is lost, none of QoS 2 comes twice, and the order is kept.
/// </summary>
public sealed class MqttCrashTests(ITestOutputHelper output) : IDisposable
{
    private static readonly int Cycles = int.Parse(Environment.GetEnvironmentVariable("PILLARBOX_KILL_CYCLES") ?? "20");
    private static readonly int Seed = int.Parse(
        Environment.GetEnvironmentVariable("PILLARBOX_SEED") ?? $"{Random.Shared.Next()}");

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_program_is_killed()
    {
        output.WriteLine($"PILLARBOX_SEED={Seed} PILLARBOX_KILL_CYCLES={Cycles}");
        var random = new Random(Seed);
        string port = FreePort();
        string stopFile = _directory.File("stop");
        PillarboxProcess node = await StartNodeAsync(port);
        using Process client = ClientProcess.Start(
            Programs.Python, [Programs.Script("Mqtt", "paho", "crash.py"), "127.0.0.1", port, stopFile]);
        Task<string> said = client.StandardOutput.ReadToEndAsync();
        Task<string> errors = client.StandardError.ReadToEndAsync();
        for (int cycle = 0; cycle < Cycles && !client.HasExited; cycle++)
        {
            await Task.Delay(random.Next(200, 1200));
            await node.KillAsync();
            await node.DisposeAsync();
            node = await StartNodeAsync(port);
        }

        await File.WriteAllTextAsync(stopFile, "");
        await using (node)
        {
            await client.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        }

        output.WriteLine(await said);
        Assert.True(client.ExitCode == 0, $"{await said}\n{await errors}\n{node.Output}");
    }

    public void Dispose() => _directory.Dispose();

    private Task<PillarboxProcess> StartNodeAsync(string port) => PillarboxProcess.StartAsync(
        _directory.File("data"), ownListeners: true, "--listen", $"mqtt=127.0.0.1:{port}");

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{((IPEndPoint)listener.LocalEndpoint).Port}";
    }
}
