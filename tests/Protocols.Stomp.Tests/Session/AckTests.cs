using System.Text;
using Pillarbox.Broker.Addresses;
using Pillarbox.Fuzz.Stomp.Scene;
using Pillarbox.Storage;
using Pillarbox.Storage.Tests;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>Acknowledgements, refusals, transactions.</summary>
public sealed class AckTests : IDisposable
{
    private readonly StompScene _scene = new(configure: b => b with
    {
        AddressSettings = new Dictionary<string, AddressSettings>
        {
            ["#"] = new() { MaxDeliveryAttempts = 3, DeadLetterAddress = "dead" },
        },
    });

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Fact]
    public void Auto_takes_messages_off_once_the_socket_has_them()
    {
        Fill(3);
        StompPeer peer = Subscribe("1.2", "auto");
        Assert.Equal("MESSAGE MESSAGE MESSAGE", peer.TakeAll());
        Assert.Equal(0, Waiting());
    }

    [Fact]
    public void Auto_does_not_take_a_large_message_off_before_the_socket_has_all_of_it()
    {
        const int BodyBytes = 3_000_000;
        string head = $"SEND\ndestination:/queue/q\npersistent:true\ncontent-length:{BodyBytes}\n\n";
        _scene.Connect("1.2").Send([.. Encoding.ASCII.GetBytes(head), .. new byte[BodyBytes + 1]]);
        Assert.Equal(1, Waiting());
        StompPeer peer = _scene.Connect("1.2");
        peer.Reads = false;
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/q\nack:auto\n\n\0");
        long got = peer.ReadOnce() + peer.ReadOnce() + peer.ReadOnce();
        Assert.InRange(got, 1, BodyBytes / 2);
        peer.Cut();
        Assert.Equal(1, Waiting());
        Assert.Equal(BodyBytes, Subscribe("1.2", "auto").Next("MESSAGE").Body.Length);
        Assert.Equal(0, Waiting());
    }

    [Fact]
    public void A_damaged_message_takes_no_place_in_the_prefetch()
    {
        var files = new MemoryFileSystem();
        using (var before = new StompScene(configure: b => b with { FileSystem = files }))
        {
            StompPeer sender = before.Connect("1.2");
            foreach (string body in (string[])["first", "canary", "canary", "last"])
            {
                sender.Send($"SEND\ndestination:/queue/q\npersistent:true\n\n{body}\0");
            }
        }

        Assert.Equal(2, files.Damage("data/" + DataLayout.Journal, "canary"));
        using var scene = new StompScene(configure: b => b with { FileSystem = files });
        StompPeer peer = scene.Connect("1.2");
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/q\nack:client-individual\nactivemq.prefetchSize:1\n\n\0");
        foreach (string body in (string[])["first", "last"])
        {
            ReceivedFrame got = peer.Next("MESSAGE");
            Assert.Equal(body, Encoding.ASCII.GetString(got.Body));
            Assert.Empty(peer.Frames);
            peer.Send($"ACK\nid:{got["ack"]}\n\n\0");
        }

        Assert.Equal(0, scene.Queues()["q"]);
        Assert.Empty(scene.Faults.Errors);
    }

    [Theory]
    [InlineData("1.0")]
    [InlineData("1.1")]
    [InlineData("1.2")]
    public void Client_acknowledges_all_up_to_one(string version)
    {
        Fill(3);
        StompPeer peer = Subscribe(version, "client");
        List<ReceivedFrame> got = [.. peer.Frames];
        peer.TakeAll();
        peer.Send(Ack(version, got[1], "ACK", "receipt:r\n"));
        Assert.Equal("r", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Equal(1, Waiting());
        peer.Cut();
        ReceivedFrame again = Subscribe(version, "client").Next("MESSAGE");
        Assert.Equal(("3", "true"), (again["n"], again["redelivered"]));
    }

    [Fact]
    public void Client_individual_acknowledges_just_one()
    {
        Fill(3);
        StompPeer peer = Subscribe("1.2", "client-individual");
        peer.Send(Ack("1.2", peer.Frames[1]));
        peer.Cut();
        StompPeer again = Subscribe("1.2", "client-individual");
        Assert.Equal(["1", "3"], again.Frames.Select(f => f["n"]));
    }

    [Theory]
    [InlineData("ACK\nid:1-99\n\n\0")]
    [InlineData("ACK\nid:nonsense\n\n\0")]
    [InlineData("ACK\nid:9-1\n\n\0")]
    [InlineData("ACK\n\n\0")]
    [InlineData("NACK\nid:1-2\n\n\0")]
    public void What_is_not_held_cannot_be_acknowledged(string frame)
    {
        Fill(1);
        StompPeer peer = Subscribe("1.2", "client");
        peer.TakeAll();
        peer.Send(frame).Next("ERROR");
        Assert.True(peer.IsEnded);
    }

    /// <summary>1.1, "ACK": the subscription "MUST be set to match".</summary>
    [Fact]
    public void The_subscription_that_an_acknowledgement_names_is_the_messages()
    {
        Fill(1);
        StompPeer peer = Subscribe("1.1", "client");
        peer.Send("SUBSCRIBE\nid:other\ndestination:/queue/other\nack:client\n\n\0");
        string id = peer.Next("MESSAGE")["message-id"];
        peer.Send($"ACK\nmessage-id:{id}\nsubscription:other\n\n\0").Next("ERROR");
        Assert.True(peer.IsEnded);
        Assert.Equal(1, Waiting());
    }

    /// <summary>"Any started transactions which have not been committed will be implicitly aborted" (1.2, "BEGIN").
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_transaction_that_is_open_at_the_end_is_aborted(bool isCut)
    {
        Fill(1);
        StompPeer peer = Subscribe("1.2", "client");
        string id = peer.Next("MESSAGE")["ack"];
        peer.Send("BEGIN\ntransaction:t\n\n\0");
        peer.Send($"ACK\nid:{id}\ntransaction:t\n\n\0");
        peer.Send("SEND\ndestination:/queue/never\npersistent:true\ntransaction:t\n\nx\0");
        if (isCut)
        {
            peer.Cut();
        }
        else
        {
            peer.Send("DISCONNECT\nreceipt:r\n\n\0").Next("RECEIPT");
        }

        Assert.Equal(1, Waiting());
        Assert.Equal(0, _scene.Queues().GetValueOrDefault("never"));
    }

    [Fact]
    public void Nack_counts_an_attempt_and_the_last_one_leads_to_the_dead_letters()
    {
        Fill(1);
        StompPeer peer = Subscribe("1.2", "client-individual");
        for (int attempt = 0; attempt < 3; attempt++)
        {
            ReceivedFrame message = peer.Next("MESSAGE");
            Assert.Equal(attempt > 0, message.Has("redelivered"));
            peer.Send(Ack("1.2", message, "NACK", "reason:no good\n"));
        }

        Assert.Empty(peer.Frames);
        StompPeer undertaker = _scene.Connect("1.2").Send("SUBSCRIBE\nid:d\ndestination:/queue/dead\n\n\0");
        ReceivedFrame dead = undertaker.Next("MESSAGE");
        Assert.Equal(("q", "q"), (dead["_AMQ_ORIG_ADDRESS"], dead["_AMQ_ORIG_QUEUE"]));
        Assert.NotEmpty(dead["dlqDeliveryFailureCause"]);
    }

    [Fact]
    public void Nack_without_requeue_leads_to_the_dead_letters_at_once()
    {
        Fill(1);
        StompPeer peer = Subscribe("1.1", "client");
        peer.Send(Ack("1.1", peer.Next("MESSAGE"), "NACK", "requeue:false\n"));
        Assert.Empty(peer.Frames);
        StompPeer undertaker = _scene.Connect("1.2").Send("SUBSCRIBE\nid:d\ndestination:/queue/dead\n\n\0");
        Assert.Equal("1", undertaker.Next("MESSAGE")["n"]);
    }

    [Fact]
    public void Nothing_beyond_the_window_is_sent_before_an_acknowledgement()
    {
        Fill(5);
        StompPeer peer = Subscribe("1.2", "client-individual", "prefetch-count:2\n");
        Assert.Equal(2, peer.Frames.Count);
        peer.Send(Ack("1.2", peer.Next("MESSAGE")));
        Assert.Equal(["2", "3"], peer.Frames.Select(f => f["n"]));
    }

    [Fact]
    public void Nothing_beyond_the_window_in_bytes_is_sent_before_an_acknowledgement()
    {
        Fill(5);
        StompPeer peer = Subscribe("1.2", "client-individual", "consumer-window-size:1\n");
        Assert.Single(peer.Frames);
        peer.Send(Ack("1.2", peer.Next("MESSAGE")));
        Assert.Equal(["2"], peer.Frames.Select(f => f["n"]));
    }

    [Fact]
    public void A_commit_sends_and_acknowledges_together()
    {
        Fill(1);
        StompPeer peer = Subscribe("1.2", "client");
        ReceivedFrame message = peer.Next("MESSAGE");
        StompPeer other = _scene.Connect("1.2").Send("SUBSCRIBE\nid:o\ndestination:/queue/out\n\n\0");
        peer.Send("BEGIN\ntransaction:t\n\n\0SEND\ndestination:/queue/out\ntransaction:t\nreceipt:1\n\nm\0");
        peer.Send(Ack("1.2", message, "ACK", "transaction:t\n"));
        Assert.Equal("1", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Empty(other.Frames);
        Assert.Equal(1, Waiting());
        peer.Send("COMMIT\ntransaction:t\nreceipt:2\n\n\0");
        Assert.Equal("2", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Equal("m", other.Next("MESSAGE").Text);
        Assert.Equal(0, Waiting());
    }

    [Fact]
    public void An_abort_sends_nothing_and_what_it_acknowledged_is_held_again()
    {
        Fill(2);
        StompPeer peer = Subscribe("1.2", "client");
        ReceivedFrame first = peer.Next("MESSAGE");
        ReceivedFrame second = peer.Next("MESSAGE");
        peer.Send("BEGIN\ntransaction:t\n\n\0SEND\ndestination:/queue/out\ntransaction:t\n\nm\0");
        peer.Send(Ack("1.2", second, "ACK", "transaction:t\n"));
        peer.Send("ABORT\ntransaction:t\nreceipt:2\n\n\0").Next("RECEIPT");
        Assert.Equal(2, Waiting());
        peer.Send(Ack("1.2", first));
        Assert.Equal(1, Waiting());
        peer.Send(Ack("1.2", second));
        Assert.Equal(0, Waiting());
        Assert.Empty(_scene.Connect("1.2").Send("SUBSCRIBE\nid:o\ndestination:/queue/out\n\n\0").Frames);
    }

    [Fact]
    public void What_an_abort_gives_back_can_be_acknowledged_in_the_next_frame()
    {
        Fill(1);
        StompPeer peer = Subscribe("1.2", "client");
        ReceivedFrame message = peer.Next("MESSAGE");
        peer.Send(
            "BEGIN\ntransaction:t\n\n\0" + Ack("1.2", message, "ACK", "transaction:t\n")
            + "ABORT\ntransaction:t\n\n\0BEGIN\ntransaction:u\n\n\0"
            + Ack("1.2", message, "ACK", "transaction:u\n") + "COMMIT\ntransaction:u\nreceipt:r\n\n\0");
        Assert.Equal("r", peer.Next("RECEIPT")["receipt-id"]);
        Assert.Equal(0, Waiting());
    }

    [Theory]
    [InlineData("COMMIT\ntransaction:t\n\n\0")]
    [InlineData("ABORT\ntransaction:t\n\n\0")]
    [InlineData("SEND\ndestination:/queue/a\ntransaction:t\n\n\0")]
    [InlineData("BEGIN\n\n\0")]
    [InlineData("BEGIN\ntransaction:u\n\n\0BEGIN\ntransaction:u\n\n\0")]
    [InlineData("BEGIN\ntransaction:u\n\n\0COMMIT\ntransaction:u\n\n\0COMMIT\ntransaction:u\n\n\0")]
    public void A_transaction_that_is_not_open_is_an_error(string frames)
    {
        StompPeer peer = _scene.Connect("1.2").Send(frames);
        peer.Next("ERROR");
        Assert.True(peer.IsEnded);
    }

    [Fact]
    public void A_transaction_with_more_acknowledgements_than_fit_ends_the_connection()
    {
        using var scene = new StompScene(configure: options => options with { TransactionBytesMax = 1000 });
        StompPeer peer = scene.Connect("1.2");
        peer.Send(string.Concat(Enumerable.Repeat("SEND\ndestination:/queue/q\npersistent:true\n\nbody\0", 20)));
        peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/q\nack:client-individual\n\n\0BEGIN\ntransaction:t\n\n\0");
        for (int i = 0; i < 20 && !peer.IsEnded; i++)
        {
            peer.Send(Ack("1.2", peer.Next("MESSAGE"), "ACK", "transaction:t\n"));
        }

        Assert.True(peer.IsEnded);
        Assert.Contains("ERROR", peer.TakeAll(), StringComparison.Ordinal);
        Assert.Equal(20, scene.Queues()["q"]);
        StompPeer other = scene.Connect("1.2").Send("SUBSCRIBE\nid:s\ndestination:/queue/q\n\n\0");
        Assert.Equal(20, other.Frames.Count);
    }

    [Fact]
    public void A_cut_connection_rolls_back()
    {
        Fill(1);
        StompPeer peer = Subscribe("1.2", "client");
        peer.Send("BEGIN\ntransaction:t\n\n\0SEND\ndestination:/queue/out\ntransaction:t\n\nm\0");
        peer.Send(Ack("1.2", peer.Next("MESSAGE"), "ACK", "transaction:t\n"));
        peer.Cut();
        Assert.Equal("1", Subscribe("1.2", "client").Next("MESSAGE")["n"]);
        Assert.Empty(_scene.Connect("1.2").Send("SUBSCRIBE\nid:o\ndestination:/queue/out\n\n\0").Frames);
    }

    private static string Ack(string version, ReceivedFrame message, string command = "ACK", string more = "") =>
        version switch
        {
            "1.0" => $"{command}\nmessage-id:{message["message-id"]}\n{more}\n\0",
            "1.1" => $"{command}\nmessage-id:{message["message-id"]}\nsubscription:s\n{more}\n\0",
            _ => $"{command}\nid:{message["ack"]}\n{more}\n\0",
        };

    private void Fill(int count)
    {
        StompPeer sender = _scene.Connect("1.2");
        for (int i = 1; i <= count; i++)
        {
            sender.Send($"SEND\ndestination:/queue/q\npersistent:true\nn:{i}\n\nbody\0");
        }
    }

    private StompPeer Subscribe(string version, string ack, string more = "") =>
        _scene.Connect(version).Send($"SUBSCRIBE\nid:s\ndestination:/queue/q\nack:{ack}\n{more}\n\0");

    private long Waiting() => _scene.Queues()["q"];
}
