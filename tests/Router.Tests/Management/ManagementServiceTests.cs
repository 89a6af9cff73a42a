using Pillarbox.Broker.Security;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Tests.Routed;

namespace Pillarbox.Router.Tests.Management;

/// <summary>The agent as a client of the node meets it: frames in, frames out.</summary>
public sealed class ManagementServiceTests : IDisposable
{
    private readonly RoutedScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [InlineData("$management")]
    [InlineData("amqp:/_local/$management")]
    [InlineData("_topo/0/A/$management")]
    [InlineData(null)]
    public void A_request_is_accepted_and_answered(string? address)
    {
        (AmqpPeer receiver, string replyTo) = ReplyAddress();
        AmqpPeer sender = _scene.Sender(address);
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, Request("GET-MGMT-NODES", replyTo, address is null ? "$management" : null));
        Disposition disposition = sender.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(DeliveryState.Accepted.ToArray(), disposition.State.ToArray());
        receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] bytes);
        AmqpMessage reply = AmqpMessage.Read(bytes);
        Assert.Null(reply.MessageAnnotations);
        Assert.Equal("[amqp:/_topo/0/A/$management]", reply.Value.ToString());
        Assert.Equal(AmqpValue.ULong(9), reply.Properties!.CorrelationId);
    }

    [Fact]
    public void A_request_in_pieces_is_put_together()
    {
        (AmqpPeer receiver, string replyTo) = ReplyAddress();
        AmqpPeer sender = _scene.Sender("$management");
        sender.Next(Flow.DescriptorCode);
        byte[] request = Request("GET-MGMT-NODES", replyTo);
        sender.Transfer(0, 0, request.AsSpan(0, 20), more: true);
        sender.Send(FrameBytes.Of(new Transfer { Handle = 0, More = true }, request.AsSpan(20, 30)));
        sender.Send(FrameBytes.Of(new Transfer { Handle = 0 }, request.AsSpan(50)));
        receiver.Next(Transfer.DescriptorCode).AsTransfer(out byte[] bytes);
        Assert.Equal("[amqp:/_topo/0/A/$management]", AmqpMessage.Read(bytes).Value.ToString());
    }

    [Fact]
    public void What_is_no_request_is_accepted_and_not_answered()
    {
        (AmqpPeer receiver, _) = ReplyAddress();
        AmqpPeer sender = _scene.Sender("$management");
        sender.Next(Flow.DescriptorCode);
        sender.Transfer(0, 0, Steps.Message("hello"));
        sender.Next(Disposition.DescriptorCode);
        Assert.Empty(receiver.Frames);
    }

    [Fact]
    public void An_aborted_request_is_forgotten()
    {
        (AmqpPeer receiver, string replyTo) = ReplyAddress();
        AmqpPeer sender = _scene.Sender("$management");
        sender.Next(Flow.DescriptorCode);
        byte[] request = Request("GET-MGMT-NODES", replyTo);
        sender.Transfer(0, 0, request.AsSpan(0, 20), more: true);
        sender.Send(FrameBytes.Of(new Transfer { Handle = 0, Aborted = true }, default));
        Assert.Empty(receiver.Frames);
        sender.Transfer(0, 1, request);
        receiver.Next(Transfer.DescriptorCode);
    }

    [Fact]
    public void Links_and_addresses_come_and_go_in_the_view()
    {
        AmqpPeer receiver = _scene.Receiver("news");
        Assert.Contains(_scene.Network.View().Addresses, a => a is { Key: "M0news", Subscribers: 1 });
        Assert.DoesNotContain(_scene.Network.View().Addresses, a => a.Key == "M0other");
        receiver.Send(FrameBytes.Of(new Close()));
        Assert.DoesNotContain(_scene.Network.View().Addresses, a => a.Key == "M0news");
    }

    [Theory]
    [InlineData(null, 201)]
    [InlineData(Permission.Send | Permission.Consume, 403)]
    [InlineData(Permission.Send | Permission.Consume | Permission.Manage, 201)]
    public void Changes_are_for_who_may_manage(Permission? granted, int status)
    {
        using var scene = new RoutedScene(granted is null ? null : new SecurityConfig
        {
            Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
            {
                ["#"] = new Dictionary<string, Permission> { ["anonymous"] = granted.Value },
            },
        });
        var body = new AmqpMap();
        body.Add("prefix", "some");
        int found = StatusOf(Create(scene, "org.apache.qpid.dispatch.router.config.address", body));
        Assert.Equal(status, found);
        Assert.Equal(status == 201, scene.Network.View().Configured.Any(e => e.Type == "router.config.address"));
    }

    private static int StatusOf(AmqpMessage reply)
    {
        reply.ApplicationProperties!.TryGet("statusCode", out AmqpValue code);
        Assert.True(code.TryGetInt64(out long status));
        return (int)status;
    }

    // A link that is not attached is not there: so what is shown is up, and nobody can switch it off.
    [Fact]
    public void A_link_is_enabled_and_up_and_stays_so()
    {
        _scene.Receiver("news");
        var names = new AmqpMap();
        names.Add("attributeNames", AmqpValue.List("owningAddr", "identity", "adminStatus", "operStatus"));
        var query = new AmqpMap();
        query.Add("operation", "QUERY");
        query.Add("entityType", "org.apache.qpid.dispatch.router.link");
        AmqpMessage links = Ask(_scene, query, names);
        Assert.True(links.Value.AsMap()!.TryGet("results", out AmqpValue rows));
        IReadOnlyList<AmqpValue> link =
            rows.AsList().Select(row => row.AsList()).Single(row => row[0].AsText() == "M0news");
        Assert.Equal(("enabled", "up"), (link[2].AsText(), link[3].AsText()));

        var update = new AmqpMap();
        update.Add("operation", "UPDATE");
        update.Add("type", "org.apache.qpid.dispatch.router.link");
        update.Add("identity", link[1]);
        var off = new AmqpMap();
        off.Add("adminStatus", "disabled");
        AmqpMessage refused = Ask(_scene, update, off);
        Assert.Equal(501, StatusOf(refused));
        Assert.True(refused.ApplicationProperties!.TryGet("statusDescription", out AmqpValue why));
        Assert.Equal("Links and traces cannot be switched", why.AsText());
        Assert.Equal("enabled", _scene.Network.View().Links.Single(one => one.OwningAddress == "M0news").AdminStatus);
    }

    private static AmqpMessage Create(RoutedScene scene, string type, AmqpMap body)
    {
        var properties = new AmqpMap();
        properties.Add("operation", "CREATE");
        properties.Add("type", type);
        return Ask(scene, properties, body);
    }

    private static AmqpMessage Ask(RoutedScene scene, AmqpMap properties, AmqpMap body)
    {
        AmqpPeer client = scene.Client();
        client.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Dynamic = true })));
        string replyTo = ((Source)client.Next(Attach.DescriptorCode).AsAttach().Source!).Address!;
        client.Credit(0, 10);
        client.AttachSender(1, "$management");
        client.Transfer(1, 0, (AmqpMessage.FromValue(AmqpValue.Map(body)) with
        {
            Properties = new MessageProperties { ReplyTo = replyTo },
            ApplicationProperties = properties,
        }).ToArray());
        ReceivedFrame frame = client.Next();
        while (frame.Descriptor != Transfer.DescriptorCode)
        {
            frame = client.Next();
        }

        frame.AsTransfer(out byte[] bytes);
        return AmqpMessage.Read(bytes);
    }

    // A client that takes what others send stands for a receiver, and needs that one's permission.
    [Theory]
    [InlineData(null, "in", 201)]
    [InlineData(Permission.Send, "in", 403)]
    [InlineData(Permission.Send, "out", 201)]
    [InlineData(Permission.Consume, "in", 201)]
    [InlineData(Permission.Consume, "out", 403)]
    public void Link_routes_of_a_connection_are_for_who_may_do_what_they_do(
        Permission? granted, string direction, int status)
    {
        using var scene = new RoutedScene(granted is null ? null : new SecurityConfig
        {
            Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
            {
                ["#"] = new Dictionary<string, Permission> { ["anonymous"] = Permission.Send | Permission.Consume },
                ["orders.#"] = new Dictionary<string, Permission> { ["anonymous"] = granted.Value },
            },
        });
        var body = new AmqpMap();
        body.Add("pattern", "orders.*");
        body.Add("direction", direction);
        Assert.Equal(status, StatusOf(Create(scene, "org.apache.qpid.dispatch.router.connection.linkRoute", body)));
    }

    [Fact]
    public void Pattern_of_a_link_route_has_bounds()
    {
        var body = new AmqpMap();
        body.Add("pattern", string.Concat(Enumerable.Repeat("#/", 1500)));
        body.Add("direction", "in");
        Assert.Equal(400, StatusOf(Create(_scene, "org.apache.qpid.dispatch.router.connection.linkRoute", body)));
    }

    private (AmqpPeer Receiver, string Address) ReplyAddress()
    {
        AmqpPeer receiver = _scene.Client();
        receiver.Send(FrameBytes.Of(Steps.ReceiverAttach(0, new Source { Dynamic = true })));
        string address = ((Source)receiver.Next(Attach.DescriptorCode).AsAttach().Source!).Address!;
        receiver.Credit(0, 10);
        return (receiver, address);
    }

    private static byte[] Request(string operation, string replyTo, string? to = null)
    {
        AmqpMap properties = new();
        properties.Add("operation", operation);
        properties.Add("type", "org.amqp.management");
        properties.Add("name", "self");
        return (AmqpMessage.FromValue(AmqpValue.Map(new AmqpMap())) with
        {
            Properties = new MessageProperties { To = to, ReplyTo = replyTo, CorrelationId = 9ul },
            ApplicationProperties = properties,
        }).ToArray();
    }
}
