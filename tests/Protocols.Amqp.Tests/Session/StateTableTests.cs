using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>
/// Every state of connection, session and link against every frame: what the node answers, and whether the connection
/// lives.
/// The rows are written out; a cell that is missing fails.
/// </summary>
public sealed class StateTableTests
{
    private const string Illegal = "close(amqp:illegal-state)";
    private const string Framing = "close(amqp:connection:framing-error)";
    private const string Unattached = "end(amqp:session:unattached-handle)";

    // What a peer can send, in the order of the columns.
    private static readonly (string Name, byte[] Bytes)[] Inputs =
    [
        ("amqp-header", ProtocolHeader.Amqp.ToArray()),
        ("sasl-header", ProtocolHeader.Sasl.ToArray()),
        ("tls-header", ProtocolHeader.Tls.ToArray()),
        ("garbage", "GET / HTTP/1.1\r\n\r\n"u8.ToArray()),
        ("empty", Frames.Heartbeat.ToArray()),
        ("unknown", FrameBytes.Raw([0x00, 0x53, 0x19, 0x45])),
        ("sasl-init", FrameBytes.Of(new SaslInit { Mechanism = "ANONYMOUS" })),
        ("sasl-response", FrameBytes.Of(new SaslResponse { Response = [] })),
        ("open", FrameBytes.Of(Steps.Open)),
        ("begin", FrameBytes.Of(Steps.Begin)),
        ("attach", FrameBytes.Of(Steps.SenderAttach(0, "q"))),
        ("flow", FrameBytes.Of(
            new Flow { NextIncomingId = 0, IncomingWindow = 9, NextOutgoingId = 0, OutgoingWindow = 9, Handle = 0 })),
        ("transfer", FrameBytes.Of(Steps.TransferOf(0, 0), Steps.Message("m"))),
        ("disposition", FrameBytes.Of(new Disposition { Role = Role.Receiver, First = 0, Settled = true })),
        ("detach", FrameBytes.Of(new Detach { Handle = 0, Closed = true })),
        ("end", FrameBytes.Of(new End())),
        ("close", FrameBytes.Of(new Close())),
    ];

    // State -> the answer to each input: "-" nothing, "over": the connection ends without a word, else the frames.
    private static readonly Dictionary<string, string[]> Table = new()
    {
        ["start"] =
        [
            "header", "header sasl-mechanisms", "header over", "header over", "header over", "header over",
            "header over",
            "header over", "header over", "header over", "header over", "header over", "header over", "header over",
            "header over", "header over", "header over",
        ],
        ["sasl"] =
        [
            "over", "over", "over", "over", "over", "over", "sasl-outcome(Ok)", "sasl-outcome(Sys) over", "over",
            "over",
            "over", "over", "over", "over", "over", "over", "over",
        ],
        ["sasl-done"] =
        [
            "header", "header over", "header over", "header over", "header over", "header over", "header over",
            "header over", "header over", "header over", "header over", "header over", "header over", "header over",
            "header over", "header over", "header over",
        ],
        ["headers"] =
        [
            $"open {Framing}", $"open {Framing}", $"open {Framing}", $"open {Framing}", "-", $"open {Illegal}",
            $"open {Framing}", $"open {Framing}", "open", $"open {Illegal}", $"open {Illegal}", $"open {Illegal}",
            $"open {Illegal}", $"open {Illegal}", $"open {Illegal}", $"open {Illegal}", $"open {Illegal}",
        ],
        ["opened"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, "begin",
            Illegal, Illegal, Illegal, Illegal, Illegal, Illegal, "close() over",
        ],
        ["mapped"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, Illegal,
            "attach flow", Unattached, Unattached, "-", Unattached, "end()", "close() over",
        ],
        ["receiving-link"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, Illegal,
            "end(amqp:session:handle-in-use)", "-", "disposition", "-", "detach()", "end()", "close() over",
        ],
        ["sending-link"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, Illegal,
            "end(amqp:session:handle-in-use)", "-", "end(amqp:not-allowed)", "-", "detach()", "end()", "close() over",
        ],
        ["coordinator-link"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, Illegal,
            "end(amqp:session:handle-in-use)", "-", "disposition flow", "-", "detach()", "end()", "close() over",
        ],
        ["refused-link"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, Illegal,
            "end(amqp:session:handle-in-use)", "-", "-", "-", "-", "end()", "close() over",
        ],
        ["end-sent"] =
        [
            Framing, Framing, Framing, Framing, "-", "close(amqp:not-implemented)", Framing, Framing, Illegal, Illegal,
            "-", "-", "-", "-", "-", "-", "close() over",
        ],
        ["close-sent"] =
        [
            "over", "over", "over", "over", "-", "-", "over", "over", "-", "-", "-", "-", "-", "-", "-", "-", "over",
        ],
    };

    public static TheoryData<string, string> Cells
    {
        get
        {
            var cells = new TheoryData<string, string>();
            foreach (string state in Table.Keys)
            {
                foreach ((string name, _) in Inputs)
                {
                    cells.Add(state, name);
                }
            }
            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Answer_is_what_the_table_says(string state, string input)
    {
        using var scene = new AmqpScene();
        AmqpPeer peer = Bring(scene, state);
        int headers = peer.Headers.Count;

        peer.Send(Inputs.Single(i => i.Name == input).Bytes);

        string[] row = Table[state];
        Assert.Equal(Inputs.Length, row.Length);
        string header = peer.Headers.Count > headers ? "header" : "";
        string answer = $"{header} {peer.TakeAll()} {(peer.IsEnded ? "over" : "")}".Trim().Replace(
            "  ", " ", StringComparison.Ordinal);
        Assert.Equal(row[Array.FindIndex(Inputs, i => i.Name == input)], answer.Length == 0 ? "-" : answer);
        Assert.Empty(scene.Faults.Errors);
    }

    [Fact]
    public void Node_serves_others_after_every_cell()
    {
        using var scene = new AmqpScene();
        foreach (string state in Table.Keys)
        {
            foreach ((_, byte[] bytes) in Inputs)
            {
                AmqpPeer peer = Bring(scene, state);
                peer.Send(bytes);
                peer.Cut();
                Assert.True(peer.IsEnded, state);
            }
        }
        Assert.Equal(0, scene.Handler.ConnectionCount);
        AmqpPeer last = scene.InSession();
        last.AttachSender(0, "q");
        last.Transfer(0, 0, Steps.Message("alive"));
        Assert.Contains("disposition", last.TakeAll(), StringComparison.Ordinal);
        Assert.Empty(scene.Faults.Errors);
    }

    private static AmqpPeer Bring(AmqpScene scene, string state)
    {
        AmqpPeer peer = scene.Connect();
        byte[] path = state switch
        {
            "start" => [],
            "sasl" => [.. ProtocolHeader.Sasl],
            "sasl-done" => [.. ProtocolHeader.Sasl, .. FrameBytes.Of(new SaslInit { Mechanism = "ANONYMOUS" })],
            "headers" => [.. ProtocolHeader.Amqp],
            "opened" => Opened(),
            "mapped" => [.. Opened(), .. FrameBytes.Of(Steps.Begin)],
            "receiving-link" => Linked(Steps.SenderAttach(0, "q")),
            "sending-link" => Linked(Steps.ReceiverAttach(0, new Source { Address = "q" })),
            "coordinator-link" => Linked(Steps.SenderAttach(0, null) with { Target = new Coordinator() }),
            "refused-link" => Linked(Steps.SenderAttach(0, "bad\u0001name")),
            "end-sent" => [.. Opened(), .. FrameBytes.Of(Steps.Begin), .. FrameBytes.Of(new Detach { Handle = 5 })],
            "close-sent" => [.. Opened(), .. FrameBytes.Of(Steps.Open)],
            _ => throw new ArgumentException(state, nameof(state)),
        };
        peer.Send(path);
        Assert.False(peer.IsEnded);
        peer.TakeAll();
        return peer;
    }

    private static byte[] Opened() => [.. ProtocolHeader.Amqp, .. FrameBytes.Of(Steps.Open)];

    private static byte[] Linked(Attach attach) =>
        [.. Opened(), .. FrameBytes.Of(Steps.Begin), .. FrameBytes.Of(attach)];
}
