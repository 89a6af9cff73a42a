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

    private const int LifeMs = 600_000;

    private static readonly string[] Kinds = ["queue", "topic", "temporary"];

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
        await CheckAsync(receiver, address, Senders, isStream: true);
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("openwire")]
    [InlineData("stomp")]
    public async Task What_a_subscriber_of_a_topic_gets_says_what_was_sent(string receiver)
    {
        string address = $"/topic/matrix.{receiver}.{Guid.NewGuid():N}";
        (await RunAsync(receiver, "subscribe", address)).AssertOk();
        await CheckAsync(receiver, address, [.. Senders.Where(s => s != "kafka")]);
    }

    [Fact]
    public Task What_a_consumer_of_a_queue_gets_says_what_was_sent() =>
        CheckAsync("amqp", $"matrix.queue.{Guid.NewGuid():N}", ["amqp", "stomp", "openwire"]);

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
        await CheckAsync(receiver, address, Senders, isStream: true);
    }

    private async Task CheckAsync(string receiver, string address, string[] senders, bool isStream = false)
    {
        foreach (string sender in senders)
        {
            (await RunAsync(sender, "send", address)).AssertOk();
        }

        ClientResult result = await RunAsync(receiver, "receive", address, $"{senders.Length * Kinds.Length}");
        result.AssertOk();
        JsonElement[] got =
        [
            .. result.Output.Split('\n').Where(line => line.StartsWith('{'))
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];
        foreach (string sender in senders)
        {
            foreach (string kind in Kinds)
            {
                JsonElement message = got.Single(
                    m => TextOf(m, "body") == $"grüße von {sender}" && TextOf(m, "asked") == kind);
                AssertSame(message, sender, receiver);
                // Kafka has no place for these: its senders say them in headers of their own, which stay headers.
                if (sender != "kafka" || receiver == "kafka")
                {
                    AssertReply(message, sender, receiver, kind, isStream);
                }
            }
        }

        shared.AssertAlive();
    }

    private static void AssertSame(JsonElement message, string sender, string receiver)
    {
        Assert.Equal($"red:{sender}", TextOf(message, "color"));
        Assert.Equal(Trace, TextOf(message, "trace"));
        // MQTT says no priority, Kafka neither that nor an expiry.
        if (receiver != "mqtt")
        {
            Assert.Equal(sender is "mqtt" or "kafka" ? 4 : 7, message.GetProperty("priority").GetInt32());
        }

        JsonElement expires = message.GetProperty("expires");
        if (sender == "kafka")
        {
            Assert.Equal(JsonValueKind.Null, expires.ValueKind);
        }
        else
        {
            Assert.True(expires.ValueKind == JsonValueKind.Number, $"{sender} to {receiver}: no expiry");
            Assert.InRange(expires.GetInt64(), 1, LifeMs);
        }
    }

    private static void AssertReply(
        JsonElement message, string sender, string receiver, string asked, bool isStream)
    {
        Assert.Equal($"c-{sender}", TextOf(message, "correlation"));
        bool isNamed = asked != "temporary" || sender is "mqtt" or "kafka";
        Assert.Equal(isNamed, TextOf(message, "reply") == "answers");
        Assert.NotEmpty(TextOf(message, "reply")!);
        Assert.Equal(KindAt(receiver, KindOf(sender, asked), sender == receiver && !isStream), TextOf(message, "kind"));
    }

    // MQTT and Kafka have no word for it; STOMP's own temporary ones get the name by which others reach them.
    private static string? KindOf(string sender, string asked) => (sender, asked) switch
    {
        ("mqtt" or "kafka", _) => null,
        ("stomp" or "websocket", "temporary") => "queue",
        (_, "temporary") => "temp-queue",
        _ => asked,
    };

    // STOMP and OpenWire know none without a kind, and none that is another protocol's temporary one.
    private static string? KindAt(string receiver, string? kind, bool isUntouched) =>
        isUntouched || receiver is "amqp" or "mqtt" or "kafka" ? kind
        : kind?.Replace("temp-", "", StringComparison.Ordinal) ?? "queue";

    private static string? TextOf(JsonElement message, string name) =>
        message.GetProperty(name).ValueKind == JsonValueKind.Null ? null : message.GetProperty(name).GetString();

    private Task<ClientResult> RunAsync(string protocol, params string[] arguments) => protocol == "openwire"
        ? JavaClient.RunAsync("Matrix", [shared.Node.Listener(protocol), .. arguments])
        : protocol == "websocket"
        ? ClientProcess.RunAsync(
            "node", [Programs.Script("WebSocket", "matrix.js"), shared.Node.Listener("http"), .. arguments])
        : ClientProcess.RunAsync(
            Programs.Python,
            [Programs.Script("Matrix", "client.py"), protocol, shared.Node.Listener(protocol), .. arguments]);
}
