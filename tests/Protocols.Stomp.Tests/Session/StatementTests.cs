using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Fuzz.Stomp.Scene;
using Pillarbox.Model;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>Single statements of the three specifications that no conversation elsewhere comes past.</summary>
public sealed class StatementTests : IDisposable
{
    private readonly StompScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    // 1.2, "Repeated Header Entries".
    [Fact]
    public void Of_repeated_headers_of_a_message_the_first_counts()
    {
        StompPeer peer = _scene.Connect("1.2").Send("SUBSCRIBE\nid:s\ndestination:/queue/a\n\n\0");
        peer.Send(
            "SEND\ndestination:/queue/a\ndestination:/queue/b\npriority:7\npriority:2\n"
            + "persistent:false\npersistent:true\nexpires:9999999999999\nexpires:1\n"
            + "AMQ_SCHEDULED_DELAY:0\nAMQ_SCHEDULED_DELAY:900000\n"
            + "destination-type:ANYCAST\ndestination-type:MULTICAST\nreceipt:r1\nreceipt:r2\n\nm\0");
        Assert.Equal("r1", peer.Frames.Single(f => f.Command == "RECEIPT")["receipt-id"]);
        ReceivedFrame message = peer.Frames.Single(f => f.Command == "MESSAGE");
        Assert.Equal(("7", "9999999999999"), (message["priority"], message["expires"]));
        Assert.False(message.Has("persistent"));
        Assert.DoesNotContain("b", _scene.Queues().Keys);
    }

    // 1.0, "SUBSCRIBE": "The body of the SUBSCRIBE command is ignored"; since 1.1 only three frames may have one.
    [Theory]
    [InlineData("1.0", "MESSAGE")]
    [InlineData("1.1", "ERROR")]
    [InlineData("1.2", "ERROR")]
    public void A_body_of_SUBSCRIBE_is_nothing_in_1_0_and_an_error_since(string version, string answer)
    {
        StompPeer peer = _scene.Connect(version);
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\n\nbody\0SEND\ndestination:/queue/a\n\nm\0");
        Assert.Equal(answer, peer.TakeAll());
    }

    // 1.0, "UNSUBSCRIBE": "either a destination header or an id header".
    [Theory]
    [InlineData("id:s\n", "destination:/queue/a\n")]
    [InlineData("id:s\n", "id:s\n")]
    [InlineData("", "destination:/queue/a\n")]
    public void A_subscription_of_1_0_ends_by_id_or_destination(string subscribed, string ended)
    {
        StompPeer peer = _scene.Connect("1.0");
        peer.Send($"SUBSCRIBE\n{subscribed}destination:/queue/a\n\n\0");
        peer.Send($"UNSUBSCRIBE\n{ended}receipt:r\n\n\0SEND\ndestination:/queue/a\n\nm\0");
        Assert.Equal("RECEIPT", peer.TakeAll());
    }

    [Fact]
    public void A_destination_without_a_subscription_is_an_error_also_in_1_0()
    {
        StompPeer peer = _scene.Connect("1.0").Send("SUBSCRIBE\nid:s\ndestination:/queue/a\n\n\0");
        Assert.Contains("/queue/b", peer.Send("UNSUBSCRIBE\ndestination:/queue/b\n\n\0").Next("ERROR")["message"]);
    }

    // 1.2, "MESSAGE": "a destination header indicating the destination the message was sent to".
    [Theory]
    [InlineData("/topic/a.*", "/topic/a.b")]
    [InlineData("topic\\c//#", "topic\\c//a.b")]
    [InlineData("/topic/a.b", "/topic/a.b")]
    public void A_subscription_to_a_pattern_tells_where_others_messages_were_sent(string pattern, string destination)
    {
        StompPeer reader = _scene.Connect("1.2").Send($"SUBSCRIBE\nid:s\ndestination:{pattern}\n\n\0");
        using BrokerClient other = _scene.Broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "other", Protocol = "amqp" }, new Unwoken());
        Producer producer = other.OpenProducer(new ProducerOptions { Address = "a.b" });
        other.Publish(
            producer, new MessageHeader { Format = PayloadFormat.Amqp }, new ReadOnlySequence<byte>([1, 2]), 1);
        other.Flush();
        _scene.Settle();
        Assert.Equal(destination, reader.Next("MESSAGE")["destination"]);
    }

    [Theory]
    [InlineData("/topic/a.*")]
    [InlineData("/queue/#")]
    [InlineData("*")]
    public void Nothing_is_sent_to_a_pattern(string destination)
    {
        StompPeer peer = _scene.Connect("1.2").Send($"SEND\ndestination:{destination}\nreceipt:r\n\nm\0");
        ReceivedFrame error = peer.Next("ERROR");
        Assert.Contains("pattern", error["message"]);
        Assert.Equal("r", error["receipt-id"]);
        Assert.Empty(_scene.Queues());
    }

    // 1.2, "CONNECT": nothing is escaped there, and nothing is trimmed.
    [Fact]
    public void Octets_of_CONNECT_stand_for_themselves()
    {
        StompPeer peer = _scene.Connect();
        peer.Send("CONNECT\naccept-version:1.2\nhost:x\nlogin:a:b\\n\npasscode:p\\\n\n\0").Next("CONNECTED");
        Assert.False(peer.IsEnded);
    }

    // Grammar: header-name = 1*<any OCTET except CR or LF or ":">. And a head that is never ended is told at once.
    [Theory]
    [InlineData("SEND\ndestination:/queue/a\n:x\n\nm\0", "no name")]
    [InlineData("SEND\ndestination:/queue/a\n\0", "NUL")]
    [InlineData("SEND\ndestination:/queue/a\nh:x\0MESSAGE\nsubscription:t\n\nm\0", "NUL")]
    [InlineData("BEGIN\0", "NUL")]
    [InlineData("SEND\n\nm\0", "names no destination")]
    [InlineData("SEND\ndestination:\n\nm\0", "names no destination")]
    public void What_is_no_header_is_an_error(string frame, string says)
    {
        StompPeer peer = _scene.Connect("1.2");
        Assert.Contains(says, peer.Send(frame).Next("ERROR")["message"]);
        Assert.True(peer.IsEnded);
    }

    // The headers of STOMP have no types: a selector takes them for what it compares them with, as ActiveMQ's does.
    [Theory]
    [InlineData("price > 10 AND price <= 12.5")]
    [InlineData("urgent = TRUE")]
    [InlineData("price BETWEEN 12 AND 13 AND price = '12.5'")]
    [InlineData("convert_string_expressions:price > 10")]
    public void A_selector_compares_headers_with_numbers(string selector)
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send($"SUBSCRIBE\nid:s\ndestination:/topic/t\nselector:{selector}\n\n\0");
        peer.Send("SEND\ndestination:/topic/t\nprice:9\nurgent:false\n\n1\0");
        peer.Send("SEND\ndestination:/topic/t\nprice:12.5\nurgent:true\n\n2\0");
        Assert.Equal("2", peer.Next("MESSAGE").Text);
        Assert.Empty(peer.Frames);
    }

    // 1.2, "heart-beat": two numbers; without the header it is 0,0.
    [Theory]
    [InlineData("heart-beat:0,0\n", "CONNECTED")]
    [InlineData("", "CONNECTED")]
    [InlineData("heart-beat:1000\n", "ERROR")]
    [InlineData("heart-beat:-1,0\n", "ERROR")]
    [InlineData("heart-beat:a,b\n", "ERROR")]
    [InlineData("heart-beat:1,2,3\n", "ERROR")]
    public void Heart_beats_are_two_numbers(string header, string answer)
    {
        StompPeer peer = _scene.Connect().Send($"CONNECT\naccept-version:1.2\nhost:x\n{header}\n\0");
        ReceivedFrame got = peer.Next(answer);
        Assert.Equal(answer == "ERROR", peer.IsEnded);
        Assert.Equal(answer == "ERROR" ? "" : "0,0", got["heart-beat"]);
    }

    // 1.2, "ERROR" and "MESSAGE": content-length and content-type of a body that is the node's own.
    [Fact]
    public void An_error_says_the_length_and_the_type_of_its_body()
    {
        ReceivedFrame error = _scene.Connect("1.2").Send("COMMIT\ntransaction:t\nreceipt:r\n\n\0").Next("ERROR");
        Assert.Equal(("text/plain", $"{error.Body.Length}"), (error["content-type"], error["content-length"]));
        Assert.Equal("r", error["receipt-id"]);
    }

    // 1.2, "SUBSCRIBE id Header", "BEGIN": an identifier is used once at a time.
    [Theory]
    [InlineData("SUBSCRIBE\nid:s\ndestination:/queue/a\n\n\0")]
    [InlineData("BEGIN\ntransaction:t\n\n\0")]
    public void An_identifier_in_use_is_an_error(string frame)
    {
        StompPeer peer = _scene.Connect("1.2").Send(frame);
        Assert.Empty(peer.Frames);
        peer.Send(frame).Next("ERROR");
    }

    // Its selector would be in the subscription's queue, and a queue's consumers have their own.
    [Theory]
    [InlineData("/queue/a")]
    [InlineData("/temp-queue/a")]
    public void A_durable_subscription_is_one_to_a_topic(string destination)
    {
        StompPeer peer = _scene.Connect("1.2", "client-id:c\n");
        peer.Send($"SUBSCRIBE\nid:s\ndestination:{destination}\ndurable-subscription-name:d\nselector:n = 1\n\n\0");
        Assert.Contains("topic", peer.Next("ERROR")["message"]);
    }

    [Fact]
    public void A_subscription_that_is_refused_leaves_nothing_behind()
    {
        StompPeer peer = _scene.Connect("1.2", "client-id:c\n");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/topic/t\nack:never\ndurable-subscription-name:d\n\n\0").Next("ERROR");
        Assert.Empty(_scene.Queues());
    }

    // 1.2, "RECEIPT": what came before the end of the connection is done.
    [Fact]
    public void What_was_sent_before_a_cut_is_processed()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Write("SEND\ndestination:/queue/a\n\n1\0SEND\ndestination:/queue/a\n\n2\0"u8);
        peer.Cut();
        Assert.Equal(2, _scene.Queues()["a"]);
    }

    private sealed class Unwoken : IWakeable
    {
        public void Wake()
        {
            // The test looks itself.
        }
    }
}
