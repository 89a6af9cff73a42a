using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>The node's answers do not depend on how the peer's bytes are cut.</summary>
public sealed class SplitTests
{
    // The peer waits for credit before it transfers, and for the messages before it settles.
    private static readonly byte[][] Phases = [Opening, Sending, Receiving, Ending];

    private static byte[] Opening =>
    [
        .. ProtocolHeader.Sasl,
        .. FrameBytes.Of(new SaslInit { Mechanism = "ANONYMOUS", InitialResponse = [] }),
        .. ProtocolHeader.Amqp,
        .. FrameBytes.Of(Steps.Open),
        .. FrameBytes.Of(Steps.Begin),
        .. FrameBytes.Of(Steps.SenderAttach(0, "q")),
    ];

    private static byte[] Sending =>
    [
        .. FrameBytes.Of(Steps.TransferOf(0, 0), Steps.Message("one")),
        .. FrameBytes.Of(Steps.TransferOf(0, 1, more: true), Steps.Message("two").AsSpan(..11)),
        .. FrameBytes.Of(new Transfer { Handle = 0 }, Steps.Message("two").AsSpan(11..)),
    ];

    private static byte[] Receiving =>
    [
        .. FrameBytes.Of(Steps.ReceiverAttach(1, new Source { Address = "q" })),
        .. FrameBytes.Of(new Flow
        {
            NextIncomingId = 0, IncomingWindow = 9, NextOutgoingId = 3, OutgoingWindow = 9, Handle = 1,
            DeliveryCount = 0, LinkCredit = 5,
        }),
    ];

    private static byte[] Ending =>
    [
        .. FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver, First = 0, Last = 1, Settled = true, State = DeliveryState.Accepted,
        }),
        .. FrameBytes.Of(new Detach { Handle = 1, Closed = true }),
        .. FrameBytes.Of(new End()),
        .. FrameBytes.Of(new Close()),
    ];

    private const string Answers =
        "sasl-mechanisms sasl-outcome(Ok) open begin attach flow disposition disposition attach transfer transfer"
        + " detach() end() close()";

    [Fact]
    public void Cut_at_every_byte_the_answers_are_the_same()
    {
        for (int phase = 0; phase < Phases.Length; phase++)
        {
            for (int cut = 0; cut < Phases[phase].Length; cut++)
            {
                Check([.. Phases[..phase], Phases[phase][..cut], Phases[phase][cut..], .. Phases[(phase + 1)..]]);
            }
        }
    }

    [Fact]
    public void Byte_by_byte_the_answers_are_the_same() =>
        Check([.. Phases.SelectMany(phase => phase.Select(b => new[] { b }))]);

    private static void Check(byte[][] pieces)
    {
        using var scene = new AmqpScene();
        AmqpPeer peer = scene.Connect();
        foreach (byte[] piece in pieces)
        {
            peer.Send(piece);
        }
        Assert.True(peer.IsEnded);
        // Acknowledgements of one pass are one range: how many there are depends on the cut, and on nothing else.
        string got = peer.TakeAll().Replace("disposition disposition", "disposition", StringComparison.Ordinal);
        Assert.Equal(Answers.Replace("disposition disposition", "disposition", StringComparison.Ordinal), got);
        Assert.Empty(scene.Faults.Errors);
    }
}
