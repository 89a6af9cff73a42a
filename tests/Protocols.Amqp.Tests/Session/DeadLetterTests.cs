using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>What a message says of where it was before it became a dead letter, or expired.</summary>
public sealed class DeadLetterTests : IDisposable
{
    private readonly AmqpScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData(10)]
    [InlineData(3_000_000)]
    public void Dead_letter_of_any_size_says_where_it_comes_from(int bytes)
    {
        string body = new('d', bytes);
        byte[] own = AmqpValue.Described(Descriptors.MessageAnnotations, AmqpValue.Map(Map("x-own", "kept")))
            .ToEncoded();
        AmqpPeer peer = _scene.InSession();
        Send(peer, [.. own, .. Steps.Message(body, durable: false)]);
        Reject(peer);

        byte[] dead = Receive(peer, "DLQ");

        Assert.Equal(body, Steps.BodyOf(dead));
        Assert.Equal("kept", Annotation(dead, "x-own"));
        Assert.Equal("q", Annotation(dead, "x-opt-ORIG-ADDRESS"));
        Assert.Equal("q", Annotation(dead, "x-opt-ORIG-QUEUE"));
        Assert.Equal("rejected", Annotation(dead, "x-opt-dlq-reason"));
    }

    /// <summary>What cannot be decoded, though its outside can be read, must not keep the dead letters behind it from
    /// their reader.</summary>
    [Theory]
    [InlineData("c10b04a301615401a301615402")] // a key twice
    [InlineData("c10702a30161a101ff")] // a string that is no UTF-8
    [InlineData("c10702a101ffa30161")] // a key that is none
    [InlineData("c10802a30161c00209ff")] // a list that is broken
    public void Annotations_that_cannot_be_decoded_go_out_as_they_came(string map)
    {
        byte[] encoded = Convert.FromHexString(map);
        AmqpPeer peer = _scene.InSession();
        Send(peer, [0x00, 0x53, 0x72, .. encoded, .. Steps.Message("odd", durable: false)]);
        Reject(peer);

        byte[] dead = Receive(peer, "DLQ");

        Assert.Equal("odd", Steps.BodyOf(dead));
        Assert.Equal("rejected", Annotation(dead, "x-opt-dlq-reason"));
        Assert.True(dead.AsSpan().IndexOf(encoded.AsSpan(3)) > 0);
    }

    [Fact]
    public void Expired_message_says_when_it_did()
    {
        AmqpPeer peer = _scene.InSession();
        byte[] header = AmqpValue.Described(
            HeaderSection.DescriptorCode,
            AmqpValue.List(AmqpValue.Boolean(true), AmqpValue.Null, AmqpValue.UInt(1000))).ToEncoded();
        Send(peer, [.. header, .. Steps.Message("late", durable: false)]);
        _scene.Advance(5000);

        byte[] expired = Receive(peer, "ExpiryQueue");

        Assert.Equal("late", Steps.BodyOf(expired));
        Assert.Equal("expired", Annotation(expired, "x-opt-dlq-reason"));
        var annotations = new MapView(MessageSections.Scan(expired).MessageAnnotations.ContentOf(expired));
        Assert.True(annotations.TryGet("x-opt-ACTUAL-EXPIRY", out AmqpScalar at));
        Assert.True(at.TryGetInt64(out long ms));
        Assert.InRange(ms, _scene.Clock.GetUtcNow().ToUnixTimeMilliseconds() - 5000,
            _scene.Clock.GetUtcNow().ToUnixTimeMilliseconds());
    }

    private static void Send(AmqpPeer peer, byte[] message)
    {
        const int PartBytes = 100_000;
        peer.AttachSender(0, "q");
        for (int at = 0; at < message.Length; at += PartBytes)
        {
            bool more = at + PartBytes < message.Length;
            peer.Transfer(0, 0, message.AsSpan(at, Math.Min(PartBytes, message.Length - at)), more: more);
        }

        Assert.Contains("disposition", peer.TakeAll(), StringComparison.Ordinal);
    }

    private static void Reject(AmqpPeer peer)
    {
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 1);
        uint id = peer.Next(Transfer.DescriptorCode).AsTransfer(out _).DeliveryId!.Value;
        peer.TakeAll();
        byte[] state = AmqpValue.Described(Rejected.DescriptorCode, AmqpValue.List()).ToEncoded();
        peer.Send(FrameBytes.Of(new Disposition { Role = Role.Receiver, First = id, Settled = true, State = state }));
    }

    private static byte[] Receive(AmqpPeer peer, string queue)
    {
        peer.AttachReceiver(2, queue);
        peer.Credit(2, 1);
        List<byte> message = [];
        bool more = true;
        while (more)
        {
            more = peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] payload).More;
            message.AddRange(payload);
        }

        return [.. message];
    }

    private static string? Annotation(byte[] message, string key)
    {
        var annotations = new MapView(MessageSections.Scan(message).MessageAnnotations.ContentOf(message));
        return annotations.TryGet(key, out AmqpScalar value) ? value.GetText() : null;
    }

    private static AmqpMap Map(string key, string value)
    {
        var map = new AmqpMap();
        map.AddSymbol(key, value);
        return map;
    }
}
