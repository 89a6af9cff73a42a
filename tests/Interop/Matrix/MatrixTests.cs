using System.Text.Json;
using Pillarbox.Interop.Tests.OpenWire;
using Xunit;

namespace Pillarbox.Interop.Tests.Matrix;

/// <summary>
/// Each protocol's client sends, each protocol's client reads, from a stream or a topic: what it gets says what was
/// sent, whoever sent it (docs/protocols/conversions.md).
/// </summary>
[Collection(nameof(SharedNode))]
public sealed class MatrixTests(SharedNode shared)
{
    private const string Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private static readonly string[] Senders = ["kafka", "amqp", "stomp", "websocket", "mqtt", "openwire"];

    [Theory]
    [InlineData("amqp")]
    [InlineData("stomp")]
    [InlineData("websocket")]
    [InlineData("kafka")]
    public async Task What_a_reader_of_a_stream_gets_says_what_was_sent(string receiver)
    {
        // The first one's sending makes the stream.
        string address = $"matrix.{receiver}.{Guid.NewGuid():N}";
        await CheckAsync(receiver, address, Senders);
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("openwire")]
    [InlineData("stomp")]
    public async Task What_a_subscriber_of_a_topic_gets_says_what_was_sent(string receiver)
    {
        string address = $"/topic/matrix.{receiver}.{Guid.NewGuid():N}";
        (await RunAsync(receiver, "subscribe", address)).AssertOk();
        await CheckAsync(receiver, address, [.. Senders.Where(s => s != "kafka")], AssertRanks);
    }

    [Fact]
    public Task What_a_consumer_of_a_queue_gets_says_what_was_sent() =>
        CheckAsync("amqp", $"matrix.queue.{Guid.NewGuid():N}", ["amqp", "stomp", "openwire"], AssertRanks);

    // Priority and expiry are the broker's own: kept wherever both sides have them.
    private static void AssertRanks(string sender, string receiver, JsonElement message)
    {
        if (sender == "websocket")
        {
            return;
        }

        Assert.True(message.GetProperty("expires").GetBoolean(), $"{sender} to {receiver}: no expiry");
        if (receiver != "mqtt")
        {
            Assert.Equal(sender == "mqtt" ? 4 : 7, message.GetProperty("priority").GetInt32());
        }
    }

    /// <summary>A topic that is a stream: with it all six read what all six sent.</summary>
    [Theory]
    [InlineData("mqtt")]
    [InlineData("openwire")]
    public async Task What_a_subscriber_of_a_stream_gets_says_what_was_sent(string receiver)
    {
        string address = $"/topic/matrix.stream.{receiver}.{Guid.NewGuid():N}";
        // Makes the stream; the subscription begins behind it.
        (await RunAsync("kafka", "send", address)).AssertOk();
        (await RunAsync(receiver, "subscribe", address)).AssertOk();
        await CheckAsync(receiver, address, Senders);
    }

    private async Task CheckAsync(
        string receiver, string address, string[] senders, Action<string, string, JsonElement>? more = null)
    {
        foreach (string sender in senders)
        {
            (await RunAsync(sender, "send", address)).AssertOk();
        }

        ClientResult result = await RunAsync(receiver, "receive", address, $"{senders.Length}");
        result.AssertOk();
        JsonElement[] got =
        [
            .. result.Output.Split('\n').Where(line => line.StartsWith('{'))
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];
        foreach (string sender in senders)
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

            more?.Invoke(sender, receiver, message);
        }

        shared.AssertAlive();
    }

    private Task<ClientResult> RunAsync(string protocol, params string[] arguments) => protocol == "openwire"
        ? JavaClient.RunAsync("Matrix", [shared.Node.Listener(protocol), .. arguments])
        : protocol == "websocket"
        ? ClientProcess.RunAsync(
            "node", [Programs.Script("WebSocket", "matrix.js"), shared.Node.Listener("http"), .. arguments])
        : ClientProcess.RunAsync(
            Programs.Python,
            [Programs.Script("Matrix", "client.py"), protocol, shared.Node.Listener(protocol), .. arguments]);
}
