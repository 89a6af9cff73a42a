using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>The policy as a client meets it: frames in, frames out.</summary>
public sealed class PolicyTests : IDisposable
{
    private readonly RoutedScene _scene = new();
    private readonly PolicyEngine _engine = new(new PolicyRules
    {
        IsEnabled = true,
        Vhosts =
        [
            new VhostPolicy
            {
                Hostname = "shop",
                MaxConnectionsPerUser = 2,
                AllowsUnknownUsers = true,
                Groups = new Dictionary<string, GroupPolicy>
                {
                    [PolicyRules.DefaultGroup] = new GroupPolicy
                    {
                        RemoteHosts = Everywhere,
                        MaxSessions = 1,
                        MaxSenders = 2,
                        MaxMessageBytes = 64,
                        AllowsAnonymousSender = true,
                        Sources = AllowedAddresses.Of("news", null),
                        Targets = AllowedAddresses.Of("news", null),
                    },
                },
            },
        ],
    });

    public PolicyTests() => _scene.Node.Handler.Police(_engine);

    private static HostRanges Everywhere =>
        HostRanges.TryParse("*", _ => [], out HostRanges? hosts, out _) ? hosts : HostRanges.None;

    public void Dispose() => _scene.Dispose();

    [Fact]
    public void Connection_without_a_virtual_host_is_closed_and_its_open_says_so()
    {
        AmqpPeer peer = _scene.Node.Connect();
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(new Open { ContainerId = "c", Hostname = "other" })]);
        Open open = peer.Next(Open.DescriptorCode).AsOpen();
        Assert.True(open.Properties!.TryGet("amqp:connection-establishment-failed", out _));
        AmqpError error = peer.Next(Close.DescriptorCode).AsClose().Error!;
        Assert.Equal("amqp:resource-limit-exceeded", error.Condition);
        Assert.Equal("connection disallowed by local policy", error.Description);
        Assert.Equal(1, _engine.Describe().ConnectionsDenied);
    }

    [Fact]
    public void Connections_of_one_user_are_bounded_and_a_closed_one_makes_room()
    {
        AmqpPeer one = Client("one");
        Client("two");
        AmqpPeer three = _scene.Node.Connect();
        three.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(OpenOf("three"))]);
        Assert.Equal("open close(amqp:resource-limit-exceeded)", three.TakeAll());

        one.Cut();
        Client("four");
        Assert.Equal(2, _engine.Describe().ConnectionsCurrent);
    }

    [Fact]
    public void Open_says_how_many_sessions_there_may_be()
    {
        AmqpPeer peer = _scene.Node.Connect();
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(OpenOf("one"))]);
        Assert.Equal(0, peer.Next(Open.DescriptorCode).AsOpen().ChannelMax);
    }

    [Fact]
    public void Session_that_is_one_too_many_ends()
    {
        AmqpPeer peer = Client("one");
        peer.Send(FrameBytes.Of(Steps.Begin, channel: 1));
        Assert.Equal("begin end(amqp:resource-limit-exceeded)", peer.TakeAll());
        peer.Send(FrameBytes.Of(Steps.SenderAttach(0, "news")));
        Assert.Equal("attach", peer.TakeAll());
    }

    [Fact]
    public void Links_are_bounded_in_number_and_by_address()
    {
        AmqpPeer peer = Client("one");
        peer.Send(FrameBytes.Of(Steps.SenderAttach(0, "other")));
        Assert.Equal("attach detach(amqp:unauthorized-access)", peer.TakeAll());
        peer.Send(FrameBytes.Of(Steps.SenderAttach(1, "news")));
        peer.Send(FrameBytes.Of(Steps.SenderAttach(2, "news")));
        Assert.Equal("attach attach", peer.TakeAll());
        peer.Send(FrameBytes.Of(Steps.SenderAttach(3, "news")));
        Assert.Equal("attach detach(amqp:resource-limit-exceeded)", peer.TakeAll());
        peer.Send(FrameBytes.Of(Steps.ReceiverAttach(4, new Source { Dynamic = true })));
        Assert.Equal("attach detach(amqp:unauthorized-access)", peer.TakeAll());
        Assert.Equal(3, _engine.Describe().LinksDenied);
    }

    [Fact]
    public void Message_to_a_target_that_is_not_allowed_is_rejected_by_itself()
    {
        AmqpPeer receiver = Client("two");
        receiver.AttachReceiver(0, "news");
        receiver.Credit(0, 10);
        AmqpPeer sender = Client("one");
        sender.AttachSender(0, address: null);
        sender.Transfer(0, 0, MessageTo("other", null));
        Assert.Equal("amqp:unauthorized-access policy violation on target", Rejection(sender));
        sender.Transfer(0, 1, MessageTo("news", "somebody"));
        Assert.Equal("amqp:unauthorized-access user_id proxy violation", Rejection(sender));
        sender.Transfer(0, 2, MessageTo("news", "anonymous"));
        receiver.Next(Transfer.DescriptorCode);
    }

    [Fact]
    public void Message_that_is_too_long_ends_its_link()
    {
        AmqpPeer receiver = Client("two");
        receiver.AttachReceiver(0, "news");
        receiver.Credit(0, 10);
        AmqpPeer sender = Client("one");
        sender.AttachSender(0, "news");
        sender.Transfer(0, 0, Steps.Message("short"));
        receiver.Next(Transfer.DescriptorCode);
        sender.TakeAll();
        sender.Transfer(0, 1, Steps.Message(new string('x', 100)));
        Assert.Contains("detach(amqp:link:message-size-exceeded)", sender.TakeAll(), StringComparison.Ordinal);
        Assert.Equal(1, _engine.Describe().MessagesDenied);
    }

    private AmqpPeer Client(string container) => _scene.Node.InSession(open: OpenOf(container));

    private static Open OpenOf(string container) => new() { ContainerId = container, Hostname = "shop" };

    private static string Rejection(AmqpPeer sender)
    {
        ReceivedFrame frame = sender.Next();
        while (frame.Descriptor != Disposition.DescriptorCode)
        {
            frame = sender.Next();
        }

        AmqpError error = DeliveryState.ReadRejected(frame.AsDisposition().State.ToArray()).Error!;
        return $"{error.Condition} {error.Description}";
    }

    private static byte[] MessageTo(string address, string? user) => new AmqpMessage
    {
        Properties = new MessageProperties
        {
            To = address,
            UserId = user is null ? null : System.Text.Encoding.UTF8.GetBytes(user),
        },
        BodyKind = BodyKind.Value,
        Value = 1,
    }.ToArray();
}
