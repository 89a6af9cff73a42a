using System.Buffers;
using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Model.Content;

namespace Pillarbox.Broker.Tests;

/// <summary>Messages that leave in another format than they came in.</summary>
public sealed class ConversionTests
{
    private const PayloadFormat Theirs = PayloadFormat.Stomp;
    private const PayloadFormat Ours = PayloadFormat.Mqtt;

    [Theory]
    [InlineData("small", false)]
    [InlineData("body in a file", true)]
    public void A_consumer_gets_the_format_that_it_wants(string body, bool isLarge)
    {
        using Scene scene = Open();
        Actor actor = scene.Connect();
        Send(scene, actor, body, Theirs, isLarge);
        actor.Consume("orders", with: options => options with { Format = Ours });
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal(Ours, lease.Header.Format);
        Assert.True(lease.Header.Durable);
        Assert.Equal("orders", Encoding.UTF8.GetString(lease.Address.Span));
        Assert.Equal($"Mqtt(orders):{body}", Encoding.UTF8.GetString(lease.Payload.Span));
    }

    [Theory]
    [InlineData(Ours)]
    [InlineData(Theirs)]
    public void Without_a_wish_or_need_the_bytes_are_those_that_came(PayloadFormat format)
    {
        using Scene scene = Open();
        Actor actor = scene.Connect();
        Send(scene, actor, "same", format, isLarge: false);
        actor.Consume(
            "orders", with: options => options with { Format = format == Ours ? Ours : PayloadFormat.None });
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal(format, lease.Header.Format);
        Assert.Equal($"{format}:same", Encoding.UTF8.GetString(lease.Payload.Span));
    }

    [Fact]
    public void Bytes_that_their_map_cannot_read_are_handed_on_raw()
    {
        using Scene scene = Open();
        Actor actor = scene.Connect();
        Producer producer = actor.Producer("orders");
        actor.Send(producer, "nonsense", header => header with { Format = Theirs });
        scene.Settle();
        actor.Consume("orders", with: options => options with { Format = Ours });
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.Equal("Mqtt(orders):nonsense", Encoding.UTF8.GetString(lease.Payload.Span));
    }

    [Fact]
    public void A_body_too_large_to_convert_is_refused_and_stays_whole()
    {
        using Scene scene = Open(convertedBytesMax: 10);
        Actor actor = scene.Connect();
        Send(scene, actor, "more than ten bytes", Theirs, isLarge: true);
        Consumer consumer = actor.Consume("orders", with: options => options with { Format = Ours });
        ConversionException refusal = Assert.Throws<ConversionException>(
            () => actor.Read(Assert.Single(actor.Deliveries)));
        Assert.Contains("at most 10", refusal.Message, StringComparison.Ordinal);
        actor.Client.CloseConsumer(consumer, countAttempts: false);
        actor.Deliveries.Clear();
        scene.Settle();
        actor.Consume("orders");
        using MessageLease lease = actor.Read(Assert.Single(actor.Deliveries));
        Assert.NotNull(lease.Large);
        lease.Large.Dispose();
    }

    private static void Send(Scene scene, Actor actor, string body, PayloadFormat format, bool isLarge)
    {
        var payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes($"{format}:{body}"));
        Producer producer = actor.Producer("orders");
        var header = new MessageHeader { Durable = true, Format = format };
        if (isLarge)
        {
            LargePublish large = actor.Client.BeginLarge(producer);
            large.Append(payload);
            Assert.True(large.Finish());
            large.Complete(header, 1);
        }
        else
        {
            actor.Client.Publish(producer, header, payload, 1);
        }

        scene.Settle();
    }

    private static Scene Open(int convertedBytesMax = 1 << 20) => new(options => options with
    {
        LargeMessageBytesMin = 16,
        ConvertedBytesMax = convertedBytesMax,
        ContentMaps = [new Tagged(Theirs), new Tagged(Ours)],
    });

    /// <summary>Payloads are the format's name, and the body behind a colon.</summary>
    private sealed class Tagged(PayloadFormat format) : IContentMap
    {
        public PayloadFormat Format => format;

        public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload)
        {
            string text = Encoding.UTF8.GetString(payload.Span);
            return text.StartsWith($"{format}:", StringComparison.Ordinal)
                ? new MessageContent { Form = BodyForm.Text, Bytes = payload[(format.ToString().Length + 1)..] }
                : null;
        }

        public void Write(
            in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output) =>
            output.Write(Encoding.UTF8.GetBytes(
                $"{format}({address}):{Encoding.UTF8.GetString(content.Bytes.Span)}"));
    }
}
