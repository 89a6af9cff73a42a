using Pillarbox.Broker.Addresses;
using Pillarbox.Fuzz.Stomp.Scene;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>What clients and node say to each other, frame by frame.</summary>
public sealed class ConversationTests : IDisposable
{
    private readonly StompScene _scene = new();

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Theory]
    [InlineData("", "1.0")]
    [InlineData("accept-version:1.0\n", "1.0")]
    [InlineData("accept-version:1.0,1.1\nhost:x\n", "1.1")]
    [InlineData("accept-version:1.2,1.1,1.0\nhost:x\n", "1.2")]
    public void The_newest_common_version_is_agreed(string headers, string version)
    {
        ReceivedFrame connected = _scene.Connect().Send($"STOMP\n{headers}\n\0").Next("CONNECTED");
        Assert.Equal(version, connected["version"]);
        Assert.StartsWith("pillarbox/", connected["server"], StringComparison.Ordinal);
        Assert.NotEmpty(connected["session"]);
    }

    /// <summary>1.0's own examples write a blank behind the colon; since 1.1 it belongs to the value.</summary>
    [Theory]
    [InlineData("1.0", "a", "v")]
    [InlineData("1.1", " a", " v")]
    [InlineData("1.2", " a", " v")]
    public void Blanks_around_headers_are_nothing_in_1_0(string version, string queue, string value)
    {
        StompPeer peer = _scene.Connect();
        peer.Send($"CONNECT\naccept-version:{version}\nhost:x\nlogin: ann\npasscode: secret\n\n\0").Next("CONNECTED");
        peer.Send("SEND\ndestination:/queue/" + (version == "1.0" ? "a \nn : v \n\nx\0" : " a\nn: v\n\nx\0"));
        Assert.Equal([queue], _scene.Queues().Keys);
        StompPeer reader = _scene.Connect("1.2");
        ReceivedFrame message =
            reader.Send($"SUBSCRIBE\nid:s\ndestination:/queue/{queue}\n\n\0").Next("MESSAGE");
        Assert.Equal(value, message["n"]);
    }

    [Fact]
    public void Without_a_common_version_there_is_an_error_that_lists_them()
    {
        StompPeer peer = _scene.Connect().Send("CONNECT\naccept-version:3.0\n\n\0");
        ReceivedFrame error = peer.Next("ERROR");
        Assert.Equal("1.0,1.1,1.2", error["version"]);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void A_message_comes_with_its_headers_and_body()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\nack:client\n\n\0");
        peer.Send(
            "SEND\ndestination:/queue/a\nx:1\nx:2\npersistent:true\npriority:7\nexpires:9999999999999\n"
            + "correlation-id:c\nreply-to:/queue/b\nreceipt:r\ncontent-type:text/plain\n\nhello\0");
        Assert.Equal("r", peer.Frames.Single(f => f.Command == "RECEIPT")["receipt-id"]);
        ReceivedFrame message = peer.Frames.Single(f => f.Command == "MESSAGE");
        Assert.Equal("hello", message.Text);
        Assert.Equal("s", message["subscription"]);
        Assert.Equal("/queue/a", message["destination"]);
        Assert.Equal(("1", "7", "true"), (message["x"], message["priority"], message["persistent"]));
        Assert.Equal(("9999999999999", "c", "/queue/b"),
            (message["expires"], message["correlation-id"], message["reply-to"]));
        Assert.True(message.Has("ack") && message.Has("message-id") && message.Has("timestamp"));
        Assert.False(message.Has("receipt") || message.Has("content-length") || message.Has("redelivered"));
    }

    [Fact]
    public void What_a_sender_writes_never_passes_for_what_the_node_says()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\nack:client\n\n\0");
        peer.Send("SEND\ndestination:/queue/a\nsubscription:x\nmessage-id:x\nack:x\nredelivered:true\n\nm\0");
        ReceivedFrame message = peer.Next("MESSAGE");
        Assert.Equal("s", message["subscription"]);
        Assert.DoesNotContain(message.Headers, h => h.Value == "x");
        Assert.False(message.Has("redelivered"));
    }

    [Theory]
    [InlineData("a\0b")]
    [InlineData("")]
    [InlineData("\n\n\0\n")]
    public void A_body_with_its_length_is_bytes(string body)
    {
        StompPeer peer = _scene.Connect("1.1");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\n\n\0");
        peer.Send($"SEND\ndestination:/queue/a\ncontent-length:{body.Length}\n\n{body}\0");
        ReceivedFrame message = peer.Next("MESSAGE");
        Assert.Equal(body, message.Text);
        Assert.Equal($"{body.Length}", message["content-length"]);
    }

    [Theory]
    [InlineData("1.2", "1.2", "a\\cb\\n\\r\\\\c", "a\\cb\\n\\r\\\\c")]
    [InlineData("1.2", "1.1", "a\\cb\\n\\r", "a\\cb\\n\r")]
    [InlineData("1.2", "1.0", "a\\cb\\n\\\\", "a:b \\")]
    [InlineData("1.1", "1.2", "a\\cb", "a\\cb")]
    [InlineData("1.0", "1.2", "a:b\\n", "a\\cb\\\\n")]
    public void Headers_are_escaped_for_the_version_of_who_reads_them(
        string sends, string reads, string sent, string read)
    {
        StompPeer reader = _scene.Connect(reads);
        reader.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\n\n\0");
        _scene.Connect(sends).Send($"SEND\ndestination:/queue/a\nh:{sent}\n\n\0");
        Assert.Equal(read, reader.Next("MESSAGE")["h"]);
    }

    [Fact]
    public void A_topic_goes_to_every_subscriber_and_a_queue_to_one()
    {
        StompPeer[] peers = [_scene.Connect("1.2"), _scene.Connect("1.2")];
        foreach (StompPeer peer in peers)
        {
            peer.Send("SUBSCRIBE\nid:t\ndestination:/topic/t\n\n\0SUBSCRIBE\nid:q\ndestination:/queue/q\n\n\0");
        }

        _scene.Connect("1.2").Send("SEND\ndestination:/topic/t\n\n\0SEND\ndestination:/queue/q\n\n\0");
        Assert.Equal(3, peers.Sum(p => p.Frames.Count));
        Assert.All(peers, p => Assert.Contains(p.Frames, f => f["subscription"] == "t"));
    }

    [Fact]
    public void A_selector_chooses_by_headers()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/topic/t\nselector:color = 'red' AND JMSPriority > 3\n\n\0");
        peer.Send("SEND\ndestination:/topic/t\ncolor:blue\n\n1\0SEND\ndestination:/topic/t\ncolor:red\n\n2\0");
        Assert.Equal("2", peer.Next("MESSAGE").Text);
        Assert.Empty(peer.Frames);
        peer.Send("UNSUBSCRIBE\nid:s\n\n\0SEND\ndestination:/topic/t\ncolor:red\n\n\0");
        Assert.Empty(peer.Frames);
    }

    [Fact]
    public void A_bad_selector_is_an_error_with_the_receipt_of_its_frame()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:s\nreceipt:r9\ndestination:/queue/a\nselector:((\n\n\0");
        Assert.Equal("r9", peer.Next("ERROR")["receipt-id"]);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void A_durable_subscription_keeps_what_comes_while_its_client_is_away()
    {
        const string Subscribe =
            "SUBSCRIBE\nid:s\ndestination:/topic/t\ndurable-subscription-name:d\nack:client\nreceipt:r\n\n\0";
        StompPeer first = _scene.Connect("1.2", "client-id:c\n");
        Assert.Equal("RECEIPT", first.Send(Subscribe).TakeAll());
        first.Send("DISCONNECT\n\n\0");
        _scene.Connect("1.2").Send("SEND\ndestination:/topic/t\npersistent:true\n\nlater\0");
        StompPeer second = _scene.Connect("1.2", "client-id:c\n").Send(Subscribe);
        Assert.Equal("later", second.Frames.Single(f => f.Command == "MESSAGE").Text);
        second.Send("UNSUBSCRIBE\nid:s\ndurable-subscription-name:d\nreceipt:u\n\n\0");
        Assert.EndsWith("RECEIPT", second.TakeAll(), StringComparison.Ordinal);
        Assert.DoesNotContain("c.d", _scene.Queues().Keys);
    }

    [Fact]
    public void A_temporary_queue_takes_answers_and_goes_with_its_connection()
    {
        StompPeer server = _scene.Connect("1.2").Send("SUBSCRIBE\nid:s\ndestination:/queue/service\n\n\0");
        StompPeer client = _scene.Connect("1.2").Send("SUBSCRIBE\nid:a\ndestination:/temp-queue/answers\n\n\0");
        client.Send("SEND\ndestination:/queue/service\nreply-to:/temp-queue/answers\n\nquestion\0");
        string replyTo = server.Next("MESSAGE")["reply-to"];
        Assert.StartsWith("/queue/temp.", replyTo, StringComparison.Ordinal);
        server.Send($"SEND\ndestination:{replyTo}\n\nanswer\0");
        Assert.Equal("answer", client.Next("MESSAGE").Text);
        client.Cut();
        Assert.DoesNotContain(_scene.Queues().Keys, name => name.StartsWith("temp.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_receipt_of_disconnect_comes_last_and_then_the_end()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SEND\ndestination:/queue/a\npersistent:true\nreceipt:1\n\n\0DISCONNECT\nreceipt:2\n\n\0");
        Assert.Equal("1", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Equal("2", peer.Next("RECEIPT")["receipt-id"]);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Heart_beats_go_out_and_a_silent_peer_is_let_go()
    {
        StompPeer peer = _scene.Connect();
        peer.Send("CONNECT\naccept-version:1.2\nheart-beat:2000,1000\n\n\0");
        Assert.Equal("1000,2000", peer.Next("CONNECTED")["heart-beat"]);
        int blank = peer.BlankBytes;
        _scene.Advance(3000);
        Assert.Empty(peer.Frames);
        Assert.True(peer.BlankBytes - blank >= 3, $"{peer.BlankBytes - blank} heart-beats");
        peer.Send("\n");
        _scene.Advance(3500);
        Assert.False(peer.IsEnded);
        _scene.Advance(1500);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void Who_does_not_log_in_in_time_is_let_go()
    {
        StompPeer peer = _scene.Connect().Send("CONN");
        _scene.Advance(9_500);
        Assert.False(peer.IsEnded);
        _scene.Advance(1_000);
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void A_slow_reader_holds_bounded_memory_and_misses_nothing()
    {
        StompPeer reader = _scene.Connect("1.2");
        reader.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\n\n\0");
        reader.Reads = false;
        StompPeer sender = _scene.Connect("1.2");
        string body = new('x', 1000);
        for (int i = 0; i < 2000; i++)
        {
            sender.Send($"SEND\ndestination:/queue/a\nn:{i}\n\n{body}\0");
        }

        reader.Reads = true;
        List<string> got = [];
        while (reader.Frames.Count > 0)
        {
            got.Add(reader.Next("MESSAGE")["n"]);
        }

        Assert.Equal(Enumerable.Range(0, 2000).Select(i => $"{i}"), got);
    }

    // What it sent before is answered, and the loop does not run in circles until then.
    [Fact]
    public void A_slow_reader_that_says_no_more_is_waited_for()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Reads = false;
        string asks = string.Concat(
            Enumerable.Range(0, 50_000).Select(i => $"SEND\ndestination:/queue/a\nreceipt:{i}\n\n\0"));
        peer.Send(asks);
        peer.Cut();
        Assert.False(peer.IsEnded);
        peer.Reads = true;
        List<string> got = [];
        for (int i = 0; i < 1000 && !(peer.IsEnded && peer.Frames.Count == 0); i++)
        {
            while (peer.Frames.Count > 0)
            {
                got.Add(peer.Next("RECEIPT")["receipt-id"]);
            }
            _scene.Settle();
        }
        Assert.True(peer.IsEnded);
        Assert.Equal(Enumerable.Range(0, 50_000).Select(i => $"{i}"), got);
    }

    [Fact]
    public void A_large_body_streams_in_and_out()
    {
        StompPeer peer = _scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/a\nack:client\n\n\0");
        byte[] body = new byte[3_000_000];
        new Random(1).NextBytes(body);
        byte[] head = "SEND\ndestination:/queue/a\nx:y\nreceipt:r\ncontent-length:3000000\n\n"u8.ToArray();
        byte[] frame = [.. head, .. body, 0];
        for (int at = 0; at < frame.Length; at += 50_000)
        {
            peer.Send(frame.AsSpan(at, Math.Min(50_000, frame.Length - at)));
        }

        Assert.Equal("r", peer.Frames.Single(f => f.Command == "RECEIPT")["receipt-id"]);
        ReceivedFrame message = peer.Frames.Single(f => f.Command == "MESSAGE");
        Assert.Equal("y", message["x"]);
        Assert.Equal(body, message.Body);
    }

    [Fact]
    public void A_refused_send_is_an_error_with_its_receipt()
    {
        using var scene = new StompScene(configure: b => b with
        {
            AddressSettings = new Dictionary<string, AddressSettings>
            {
                ["#"] = new() { AutoCreateAddresses = false },
            },
        });
        StompPeer peer = scene.Connect("1.2").Send("SEND\ndestination:/queue/none\nreceipt:r\n\n\0");
        Assert.Equal("r", peer.Next("ERROR")["receipt-id"]);
        Assert.True(peer.IsEnded);
    }
}
