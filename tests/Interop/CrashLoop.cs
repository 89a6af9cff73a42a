using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>
/// The program under a client of one protocol that goes on over its ends: killed with SIGKILL at random moments,
/// started again on the same port and data, until the client is told by a file to stop. That begins when the client has
/// said "ready". It knows what it was promised: it ends well when all of that was kept.
/// <c>PILLARBOX_KILL_CYCLES</c> and <c>PILLARBOX_SEED</c> change how often and when.
/// </summary>
internal sealed class CrashLoop(string protocol, ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMinutes(3);

    private readonly TemporaryDirectory _directory = new();
    private readonly string _address = $"127.0.0.1:{LoopbackPort.Free()}";

    /// <summary>Runs the client, which is started with the node's host and port and the name of the file that stops it.
    /// </summary>
    public async Task RunAsync(
        int cycles, int pauseMsMin, int pauseMsMax, Func<string, string, string, Task<Process>> start)
    {
        cycles = Number("PILLARBOX_KILL_CYCLES") ?? cycles;
        int seed = Number("PILLARBOX_SEED") ?? Random.Shared.Next();
        output.WriteLine($"PILLARBOX_SEED={seed} PILLARBOX_KILL_CYCLES={cycles}");
        var random = new Random(seed);
        string stopFile = _directory.File("stop");
        string[] address = _address.Split(':');
        PillarboxProcess node = await StartNodeAsync();
        using Process client = await start(address[0], address[1], stopFile);
        Task<string> errors = client.StandardError.ReadToEndAsync();
        Task<string> said = Task.FromResult("");
        try
        {
            string? first = await client.StandardOutput.ReadLineAsync().WaitAsync(StopTimeout);
            said = client.StandardOutput.ReadToEndAsync();
            if (first != "ready")
            {
                client.Kill();
                Assert.Fail($"{first}\n{await said}\n{await errors}\n{node.Output}");
            }

            for (int cycle = 0; cycle < cycles && !client.HasExited; cycle++)
            {
                await Task.Delay(random.Next(pauseMsMin, pauseMsMax));
                await node.KillAsync();
                await node.DisposeAsync();
                node = await StartNodeAsync();
            }

            await File.WriteAllTextAsync(stopFile, "");
            await client.WaitForExitAsync().WaitAsync(StopTimeout);
        }
        finally
        {
            if (!client.HasExited)
            {
                client.Kill();
            }

            await node.DisposeAsync();
        }

        output.WriteLine(await said);
        Assert.True(client.ExitCode == 0, $"{await said}\n{await errors}\n{node.Output}");
    }

    public void Dispose() => _directory.Dispose();

    private Task<PillarboxProcess> StartNodeAsync() => PillarboxProcess.StartAsync(
        _directory.File("data"), ownListeners: true, "--listen", $"{protocol}={_address}");

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
