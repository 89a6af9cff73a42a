using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>
/// The program is killed under load, again and again, while the Java client sends and receives over its failover
/// transport: nothing that was sent is lost, and what was sent again is stored once.
/// </summary>
public sealed class FailoverCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_program_is_killed()
    {
        using var loop = new CrashLoop("openwire", output);
        await loop.RunAsync(12, 300, 1500, (host, port, stopFile) =>
            JavaClient.StartAsync("FailoverCrash", $"{host}:{port}", stopFile));
    }
}
