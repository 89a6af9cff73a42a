using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Pillarbox.Interop.Tests.Stomp;

/// <summary>
/// The program is killed under load, again and again, while stomp.py sends and consumes: nothing that has a receipt is
/// lost, no transaction is torn, and nothing comes again whose acknowledgement has a receipt.
/// </summary>
public sealed class StompCrashTests(ITestOutputHelper output) : IDisposable
{
    private static readonly int Cycles = int.Parse(Environment.GetEnvironmentVariable("PILLARBOX_KILL_CYCLES") ?? "12");
    private static readonly int Seed = int.Parse(
        Environment.GetEnvironmentVariable("PILLARBOX_SEED") ?? $"{Random.Shared.Next()}");

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task A_receipt_holds_when_the_program_is_killed()
    {
        output.WriteLine($"PILLARBOX_SEED={Seed} PILLARBOX_KILL_CYCLES={Cycles}");
        var random = new Random(Seed);
        string port = FreePort();
        string stopFile = _directory.File("stop");
        PillarboxProcess node = await StartNodeAsync(port);
        using Process client = ClientProcess.Start(
            Programs.Python, [Programs.Script("Stomp", "stomp-py", "crash.py"), "127.0.0.1", port, stopFile]);
        Task<string> said = client.StandardOutput.ReadToEndAsync();
        Task<string> errors = client.StandardError.ReadToEndAsync();
        for (int cycle = 0; cycle < Cycles && !client.HasExited; cycle++)
        {
            await Task.Delay(random.Next(300, 1500));
            await node.KillAsync();
            await node.DisposeAsync();
            node = await StartNodeAsync(port);
        }

        await File.WriteAllTextAsync(stopFile, "");
        try
        {
            await client.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        }
        finally
        {
            if (!client.HasExited) client.Kill();
            await node.DisposeAsync();
        }

        output.WriteLine(await said);
        Assert.True(client.ExitCode == 0, $"{await said}\n{await errors}\n{node.Output}");
    }

    public void Dispose() => _directory.Dispose();

    private Task<PillarboxProcess> StartNodeAsync(string port) => PillarboxProcess.StartAsync(
        _directory.File("data"), ownListeners: true, "--listen", $"stomp=127.0.0.1:{port}");

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return $"{((IPEndPoint)listener.LocalEndpoint).Port}";
    }
}
