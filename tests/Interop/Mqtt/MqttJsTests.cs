using Xunit;

namespace Pillarbox.Interop.Tests.Mqtt;

/// <summary>mqtt.js, over TCP and over WebSocket, with 3.1.1 and with 5.0.</summary>
[Collection(nameof(SharedNode))]
public sealed class MqttJsTests(SharedNode shared)
{
    [Theory]
    [InlineData("mqtt", "4")]
    [InlineData("mqtt", "5")]
    [InlineData("ws", "4")]
    [InlineData("ws", "5")]
    public async Task Messages_come_out_as_they_went_in(string transport, string version)
    {
        string url = transport == "ws"
            ? $"ws://{shared.Node.Listener("http")}/mqtt"
            : $"mqtt://{shared.Node.Listener("mqtt")}";
        string[] command = [Programs.Script("Mqtt", "mqttjs", "run.js"), url, version];
        (await ClientProcess.RunAsync("node", command)).AssertOk();
        shared.AssertAlive();
    }
}
