using System.Text.Json;
using Xunit;

namespace Pillarbox.Interop.Tests.Matrix;

/// <summary>
/// Each protocol's client sends to a stream, each protocol's client reads it: what it gets says what was sent, whoever
/// sent it (docs/protocols/conversions.md).
/// </summary>
[Collection(nameof(SharedNode))]
public sealed class MatrixTests(SharedNode shared)
{
    private const string Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private static readonly string[] Senders = ["amqp", "stomp", "websocket", "kafka"];

    [Theory]
    [InlineData("amqp")]
    [InlineData("stomp")]
    [InlineData("websocket")]
    [InlineData("kafka")]
    public async Task Whoever_sent_it_the_message_says_the_same(string receiver)
    {
        string address = $"matrix.{receiver}.{Guid.NewGuid():N}";
        // The first one is the one whose sending makes the stream.
        foreach (string sender in Senders.OrderBy(s => s == "kafka" ? 0 : 1))
        {
            (await RunAsync(sender, "send", address)).AssertOk();
        }

        ClientResult result = await RunAsync(receiver, "receive", address, $"{Senders.Length}");
        result.AssertOk();
        JsonElement[] got =
        [
            .. result.Output.Split('\n').Where(line => line.StartsWith('{'))
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];
        foreach (string sender in Senders)
        {
            JsonElement message = got.Single(m => m.GetProperty("body").GetString() == $"grüße von {sender}");
            Assert.Equal($"red:{sender}", message.GetProperty("color").GetString());
            Assert.Equal(Trace, message.GetProperty("trace").GetString());
            // Kafka has no place for these two: its senders say them in headers of their own, which stay headers.
            if (sender != "kafka" || receiver == "kafka")
            {
                Assert.Equal($"c-{sender}", message.GetProperty("correlation").GetString());
                Assert.Equal("answers", message.GetProperty("reply").GetString());
            }
        }

        shared.AssertAlive();
    }

    private Task<ClientResult> RunAsync(string protocol, params string[] arguments) => protocol == "websocket"
        ? ClientProcess.RunAsync(
            "node", [Programs.Script("WebSocket", "matrix.js"), shared.Node.Listener("http"), .. arguments])
        : ClientProcess.RunAsync(
            Programs.Python,
            [Programs.Script("Matrix", "client.py"), protocol, shared.Node.Listener(protocol), .. arguments]);
}
