using System.Text;
using Pillarbox.Fuzz.Stomp.Scene;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Session;

/// <summary>A whole conversation means the same wherever the network cuts it.</summary>
public sealed class SplitTests
{
    private const string Conversation =
        "\nCONNECT\r\naccept-version:1.2\r\nhost:x\r\nlogin:me\r\npasscode:secret\r\n\r\n\0\n"
        + "SUBSCRIBE\nid:s\ndestination:/queue/b\nack:client\nreceipt:1\n\n\0"
        + "SEND\ndestination:/queue/a\nx:a\\nb\ncontent-length:3\nreceipt:2\n\na\0b\0\n\n"
        + "BEGIN\ntransaction:t\n\n\0SEND\ndestination:/queue/a\ntransaction:t\n\nö\0"
        + "COMMIT\ntransaction:t\nreceipt:3\n\n\0DISCONNECT\nreceipt:4\n\n\0";

    [Fact]
    public void At_every_split_point()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Conversation);
        string[] expected = Run(bytes, []);
        Assert.Contains("RECEIPT 4", expected);
        for (int at = 1; at < bytes.Length; at++)
        {
            Assert.Equal(expected, Run(bytes[..at], bytes[at..]));
        }
    }

    [Fact]
    public void Byte_by_byte()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Conversation);
        Assert.Equal(Run(bytes, []), Run([.. bytes.Select(b => new[] { b })]));
    }

    private static string[] Run(params byte[][] pieces)
    {
        using var scene = new StompScene();
        StompPeer peer = scene.Connect();
        foreach (byte[] piece in pieces)
        {
            peer.Send(piece);
        }

        Assert.True(peer.IsEnded);
        Assert.Empty(scene.Faults.Errors);
        return
        [
            .. peer.Frames.Select(f => $"{f.Command} {f["receipt-id"]}"),
            .. scene.Queues().Select(q => $"{q.Key} {q.Value}"),
        ];
    }
}
