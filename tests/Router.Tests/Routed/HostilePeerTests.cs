using System.Collections.Immutable;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>
/// Routers that lie, flood and break the rules. Whatever they say, the node has no fault of its own, its clients'
/// messages come as before, and what was there of the liar is gone with it.
/// </summary>
public sealed class HostilePeerTests : IDisposable
{
    private const int ControlOut = 0;
    private const int DataOut = 2;
    private const uint Window = 1_000_000;

    private readonly RoutedScene _scene = new(
        new AddressRule { Pattern = "all.#", Treatment = AddressTreatment.Multicast });

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Anything_from_a_router_in_any_order()
    {
        (int first, int count) = Seeds.Range(60);
        for (int seed = first; seed < first + count; seed++)
        {
            var random = new Random(seed);
            AmqpPeer liar = Router($"X{seed}");
            for (int i = 0; i < 40 && !liar.IsEnded; i++)
            {
                Misbehave(liar, random, (uint)i);
            }

            CheckClients($"PILLARBOX_SEED={seed}");
            if (!liar.IsEnded)
            {
                liar.Cut();
            }
        }

        CheckNothingIsLeft();
    }

    [Fact]
    public void Addresses_that_a_router_claims_and_does_not_serve_take_no_message_with_them()
    {
        AmqpPeer liar = Router("X");
        Join(liar, "X");
        Claim(liar, "X", "M0claimed");
        AmqpPeer sender = _scene.Sender("claimed");
        Assert.Equal(250u, sender.Next(Flow.DescriptorCode).AsFlow().LinkCredit);
        sender.Transfer(0, 0, Steps.Message("m"));
        liar.Cut();

        // It was sent nowhere, or nobody knows: the sender hears so, and is not asked for more.
        Disposition disposition = sender.Next(Disposition.DescriptorCode).AsDisposition();
        DeliveryStateKind kind = DeliveryState.KindOf(disposition.State);
        Assert.True(kind is DeliveryStateKind.Released or DeliveryStateKind.Modified, $"{kind}");
        Assert.True(disposition.Settled);
    }

    [Fact]
    public void Transfers_beyond_the_credit_end_the_link_and_nothing_else()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer liar = Router("X");
        for (uint id = 0; id < 400 && !liar.IsEnded; id++)
        {
            liar.Write(FrameBytes.Of(Steps.TransferOf(DataOut, id), DataMessage("news")));
        }

        _scene.Node.Settle();
        Assert.DoesNotContain("internal-error", liar.TakeAll(), StringComparison.Ordinal);
        Assert.NotEmpty(receiver.Frames);
        CheckClients("after a flood");
    }

    [Fact]
    public void Delivery_ids_that_jump_and_repeat_are_the_peers_own()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        AmqpPeer liar = Router("X");
        uint[] ids = [7, 7, 3_000_000_000, 0, uint.MaxValue, 1];
        foreach (uint id in ids)
        {
            liar.Transfer(DataOut, id, DataMessage("news"));
        }

        for (uint i = 0; i < ids.Length; i++)
        {
            receiver.Next(Transfer.DescriptorCode);
            receiver.Send(FrameBytes.Of(new Disposition
            {
                Role = Role.Receiver,
                First = i,
                Settled = true,
                State = DeliveryState.Accepted,
            }));
        }

        Assert.False(liar.IsEnded);
        CheckClients("after jumps");
    }

    [Fact]
    public void Message_that_was_here_already_does_not_go_round_for_ever()
    {
        AmqpPeer receiver = _scene.Receiver("all.news");
        AmqpPeer liar = Router("X");
        Join(liar, "X");
        Claim(liar, "X", "M0all.news");
        liar.TakeAll();
        liar.Transfer(DataOut, 0, DataMessage("all.news", trace: ["0/A", "0/X", "0/A", "0/X"]));

        Assert.Contains(receiver.Frames, frame => frame.Descriptor == Transfer.DescriptorCode);
        // Of the liar's own links only its control link hears something.
        Assert.DoesNotContain(
            liar.Frames, frame => frame.Descriptor == Transfer.DescriptorCode && frame.AsTransfer(out _).Handle == 3);
    }

    private AmqpPeer Router(string id)
    {
        var plan = new ConnectionPlan(ConnectionRole.InterRouter, IsInitiator: false) { Name = "routers" };
        AmqpPeer peer = _scene.Node.Connect(plan);
        var begin = new Begin { NextOutgoingId = 0, IncomingWindow = Window, OutgoingWindow = Window };
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = id }), .. FrameBytes.Of(begin)]);
        uint handle = 0;
        foreach (string capability in (string[])["qd.router", "qd.router-data"])
        {
            peer.Send(FrameBytes.Of(Steps.SenderAttach(handle++, null) with
            {
                Target = new Target { Capabilities = [capability] },
            }));
            peer.Send(FrameBytes.Of(Steps.ReceiverAttach(handle, new Source { Capabilities = [capability] })));
            peer.Credit(handle++, 10_000);
        }

        peer.TakeAll();
        return peer;
    }

    private void Join(AmqpPeer peer, string id)
    {
        Say(peer, new ControlAddress(ControlService.Hello, null), new Hello(id, 1, ["A"]));
        Say(peer, new ControlAddress(ControlService.Router, "A"),
            new LinkStateUpdate(id, 1, 1, [new PeerCost("A", 1)]));
        _scene.Node.Advance(1000);
    }

    private void Claim(AmqpPeer peer, string id, params string[] keys)
    {
        Say(peer, new ControlAddress(ControlService.MobileAddress, "A"),
            new MobileAddressUpdate(id, 1, IsAbsolute: false, [.. keys.Select(key => new AddressHint(key, null))], []));
        _scene.Node.Advance(1000);
    }

    private static void Say(AmqpPeer peer, in ControlAddress to, ControlMessage message) =>
        peer.Transfer(ControlOut, 0, ControlWriter.Write(to, message), settled: true);

    private static byte[] DataMessage(string to, string[]? trace = null)
    {
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-qd.to", to);
        annotations.AddSymbol("x-opt-qd.ingress", "0/X");
        AmqpValue[] nodes = [.. (trace ?? ["0/X"]).Select(AmqpValue.String)];
        annotations.AddSymbol("x-opt-qd.trace", AmqpValue.List(nodes));
        return new AmqpMessage { MessageAnnotations = annotations, BodyKind = BodyKind.Value, Value = "v" }.ToArray();
    }

    private void Misbehave(AmqpPeer peer, Random random, uint id)
    {
        string other = random.Next(3) switch { 0 => "A", 1 => $"Y{random.Next(200)}", _ => "" };
        if (random.Next(14) < 5)
        {
            Lie(peer, random, id, other);
        }
        else
        {
            BreakRules(peer, random, id, other);
        }
    }

    private static void Lie(AmqpPeer peer, Random random, uint id, string other)
    {
        switch (random.Next(5))
        {
            case 0:
                Say(peer, new ControlAddress(ControlService.Hello, null), new Hello(other, random.NextInt64(), ["A"]));
                break;
            case 1:
                GreetAsMany(peer);
                break;
            case 2:
                ImmutableArray<PeerCost> peers =
                    [.. Enumerable.Range(0, 300).Select(i => new PeerCost($"P{i}", random.Next(-5, 5)))];
                Say(peer, new ControlAddress(ControlService.Router, "A"),
                    new LinkStateUpdate(other, random.NextInt64(), long.MaxValue, peers));
                break;
            case 3:
                Say(peer, new ControlAddress(ControlService.MobileAddress, "A"),
                    new MobileAddressUpdate(other, random.NextInt64(), IsAbsolute: random.Next(2) == 0,
                        [.. Enumerable.Range(0, 3000).Select(i => new AddressHint(
                            $"{(char)random.Next(1, 127)}{i}", (AddressTreatment)random.Next(6)))], []));
                break;
            case 4:
                byte[] bytes = new byte[random.Next(300)];
                random.NextBytes(bytes);
                peer.Transfer(ControlOut, id, bytes, settled: random.Next(2) == 0);
                break;
        }
    }

    private void BreakRules(AmqpPeer peer, Random random, uint id, string other)
    {
        switch (random.Next(5, 14))
        {
            case 5:
                peer.Transfer(DataOut, (uint)random.Next(), DataMessage("news"), settled: random.Next(2) == 0);
                break;
            case 6:
                byte[] piece = DataMessage("news")[..random.Next(1, 40)];
                peer.Transfer(DataOut, id, piece, more: random.Next(2) == 0);
                break;
            case 7:
                peer.Send(FrameBytes.Of(new Transfer { Handle = DataOut, Aborted = true }, []));
                break;
            case 8:
                peer.Send(FrameBytes.Of(new Disposition
                {
                    Role = random.Next(2) == 0 ? Role.Sender : Role.Receiver,
                    First = (uint)random.Next(20),
                    Last = (uint)random.Next(2000),
                    Settled = random.Next(2) == 0,
                    State = DeliveryState.Accepted,
                }));
                break;
            case 9:
                peer.Credit((uint)random.Next(5), uint.MaxValue - (uint)random.Next(3), (uint)random.Next());
                break;
            case 10:
                peer.Credit((uint)random.Next(4), 5, (uint)random.Next(10), drain: true);
                break;
            case 11:
                string[] trace = [.. Enumerable.Range(0, 500).Select(i => $"0/{i}")];
                peer.Transfer(DataOut, id, DataMessage($"amqp:/_topo/0/{other}/x", trace));
                break;
            case 12:
                peer.Send(FrameBytes.Of(Steps.SenderAttach((uint)random.Next(8), other) with
                {
                    Target = new Target { Capabilities = ["qd.router-data"] },
                }));
                break;
            default:
                _scene.Node.Advance(random.Next(2000));
                break;
        }
    }

    private static void GreetAsMany(AmqpPeer peer)
    {
        for (int i = 0; i < 300; i++)
        {
            Say(peer, new ControlAddress(ControlService.Hello, null), new Hello($"Z{i}", i, []));
        }
    }

    private void CheckClients(string when)
    {
        AmqpPeer receiver = _scene.Receiver("clients.own");
        AmqpPeer sender = _scene.Sender("clients.own");
        Assert.True(sender.Frames.Count > 0, when);
        sender.TakeAll();
        sender.Transfer(0, 0, Steps.Message("m"));
        receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] got);
        Assert.Equal("m", Steps.BodyOf(got));
        receiver.Send(FrameBytes.Of(
            new Disposition { Role = Role.Receiver, First = 0, Settled = true, State = DeliveryState.Accepted }));
        Assert.Equal("disposition", sender.TakeAll());
        receiver.Cut();
        sender.Cut();
    }

    private void CheckNothingIsLeft()
    {
        _scene.Node.Advance(200_000);
        Assert.Empty(_scene.Network.Snapshot.Routers);
        Assert.Empty(_scene.Node.Handler.Describe().Links);
        Assert.All(
            _scene.Network.View().Addresses, address => Assert.Contains("$", address.Key, StringComparison.Ordinal));
    }
}
