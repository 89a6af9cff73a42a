using Pillarbox.Fuzz.Stomp.Scene;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>Every frame in every state: what may come is taken, everything else is an ERROR and the end.</summary>
public sealed class StateTableTests
{
    private static readonly Dictionary<string, string> Frames = new()
    {
        ["CONNECT"] = "CONNECT\naccept-version:1.2\nhost:x\n\n\0",
        ["STOMP"] = "STOMP\naccept-version:1.2\nhost:x\n\n\0",
        ["SEND"] = "SEND\ndestination:/queue/a\nreceipt:r\n\n\0",
        ["SUBSCRIBE"] = "SUBSCRIBE\nid:s2\ndestination:/queue/b\nreceipt:r\n\n\0",
        ["UNSUBSCRIBE"] = "UNSUBSCRIBE\nid:s\nreceipt:r\n\n\0",
        ["ACK"] = "ACK\nid:1-1\nreceipt:r\n\n\0",
        ["NACK"] = "NACK\nid:1-1\nreceipt:r\n\n\0",
        ["BEGIN"] = "BEGIN\ntransaction:t2\nreceipt:r\n\n\0",
        ["COMMIT"] = "COMMIT\ntransaction:t\nreceipt:r\n\n\0",
        ["ABORT"] = "ABORT\ntransaction:t\nreceipt:r\n\n\0",
        ["DISCONNECT"] = "DISCONNECT\nreceipt:r\n\n\0",
        ["MESSAGE"] = "MESSAGE\nreceipt:r\n\n\0",
        ["CONNECTED"] = "CONNECTED\nversion:1.2\n\n\0",
        ["RECEIPT"] = "RECEIPT\nreceipt-id:r\n\n\0",
        ["ERROR"] = "ERROR\nreceipt:r\n\n\0",
        ["send"] = "send\ndestination:/queue/a\n\n\0",
        ["body"] = "BEGIN\ntransaction:t2\n\nbody\0",
        ["nonsense"] = "nonsense\n\n\0",
        ["colonless"] = "SEND\ndestination\n\n\0",
    };

    public static TheoryData<string, string> Cells
    {
        get
        {
            var cells = new TheoryData<string, string>();
            foreach (string state in new[] { "start", "connected", "subscribed", "transacted", "ended" })
            {
                foreach (string frame in Frames.Keys)
                {
                    cells.Add(state, frame);
                }
            }

            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Every_cell_has_its_answer(string state, string frame)
    {
        using var scene = new StompScene();
        StompPeer peer = PeerIn(scene, state);
        string answer = peer.Send(Frames[frame]).TakeAll();
        Assert.Equal(Expected(state, frame), answer);
        bool ends = answer == "ERROR" || state == "ended" || (frame == "DISCONNECT" && state != "start");
        Assert.Equal(ends, peer.IsEnded);
        Assert.Empty(scene.Faults.Errors);
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_cut_in_every_state_leaves_nothing_behind(string state, string frame)
    {
        using var scene = new StompScene();
        StompPeer peer = PeerIn(scene, state).Send(Frames[frame]);
        peer.Cut();
        Assert.True(peer.IsEnded);
        Assert.Equal(0, scene.Handler.ConnectionCount);
        Assert.Empty(scene.Faults.Errors);
    }

    private static string Expected(string state, string frame) => (state, frame) switch
    {
        ("ended", _) => "",
        ("start", "CONNECT" or "STOMP") => "CONNECTED",
        ("start", _) => "ERROR",
        (_, "SEND" or "SUBSCRIBE" or "BEGIN" or "DISCONNECT") => "RECEIPT",
        ("subscribed", "UNSUBSCRIBE" or "ACK" or "NACK") => frame == "NACK" ? "MESSAGE RECEIPT" : "RECEIPT",
        ("transacted", "COMMIT" or "ABORT") => "RECEIPT",
        _ => "ERROR",
    };

    private static StompPeer PeerIn(StompScene scene, string state)
    {
        StompPeer peer = state == "start" ? scene.Connect() : scene.Connect("1.2");
        switch (state)
        {
            case "subscribed":
                scene.Connect("1.2").Send("SEND\ndestination:/queue/q\npersistent:true\n\nm\0").Cut();
                peer.Send("SUBSCRIBE\nid:s\ndestination:/queue/q\nack:client\n\n\0").Next("MESSAGE");
                break;
            case "transacted":
                peer.Send("BEGIN\ntransaction:t\n\n\0");
                break;
            case "ended":
                peer.Send("DISCONNECT\n\n\0");
                break;
        }

        return peer;
    }
}
