using Xunit;

namespace Pillarbox.Interop.Tests.Mqtt;

/// <summary>
/// The program is killed under load, again and again, while paho publishes and subscribes with sessions that go on: no
/// acknowledged message is lost, none of QoS 2 comes twice, and the order is kept.
/// </summary>
public sealed class MqttCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_program_is_killed()
    {
        using var loop = new CrashLoop("mqtt", output);
        await loop.RunAsync(20, 200, 1200, (host, port, stopFile) => Task.FromResult(ClientProcess.Start(
            Programs.Python, [Programs.Script("Mqtt", "paho", "crash.py"), host, port, stopFile])));
    }
}
