using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Tests.Management;

public sealed class ManagementTests
{
    private const string Prefix = "org.apache.qpid.dispatch.";

    private static readonly RouterView View = MakeView();

    [Fact]
    public void A_query_gives_the_columns_that_are_asked_for()
    {
        ManagementReply reply = Query("router.address", ["key", "subscriberCount", "distribution"]);
        Assert.Equal(200, reply.Status);
        Assert.Equal(
            "[[M0orders, 2, balanced], [M0news, 0, multicast]]", Field(reply, "results").ToString());
        Assert.Equal("[key, subscriberCount, distribution]", Field(reply, "attributeNames").ToString());
    }

    [Fact]
    public void A_query_without_columns_gives_all()
    {
        ManagementReply reply = Query("connection", []);
        IReadOnlyList<AmqpValue> names = Field(reply, "attributeNames").AsList();
        Assert.Equal(["name", "identity", "type"], names.Take(3).Select(n => n.AsText()));
        Assert.Equal(names.Count, Assert.Single(Field(reply, "results").AsList()).AsList().Count);
    }

    [Fact]
    public void A_query_pages()
    {
        AmqpMap properties = Properties(("operation", "QUERY"), ("entityType", Prefix + "router.address"));
        properties.Add("offset", 1);
        properties.Add("count", 1);
        ManagementReply reply = Handle(properties, Names("name")).Reply!;
        Assert.Equal("[[M0news]]", Field(reply, "results").ToString());
    }

    [Fact]
    public void A_query_without_a_type_leaves_out_what_has_none_of_the_columns()
    {
        ManagementReply reply = Query(null, ["linkDir"]);
        Assert.Equal("[[in]]", Field(reply, "results").ToString());
    }

    // The columns that the peer's qdstat reads.
    [Theory]
    [InlineData("router", "version mode id workerThreads uptimeSeconds memoryUsage area linkRouteCount autoLinkCount "
        + "linkCount nodeCount addrCount connectionCount presettledDeliveries droppedPresettledDeliveries "
        + "acceptedDeliveries rejectedDeliveries releasedDeliveries modifiedDeliveries deliveriesDelayed1Sec "
        + "deliveriesDelayed10Sec deliveriesStuck deliveriesRedirectedToFallback linksBlocked blockedLinkCount "
        + "deliveriesIngress deliveriesEgress deliveriesTransit deliveriesIngressRouteContainer "
        + "deliveriesEgressRouteContainer")]
    [InlineData("connection", "identity host container role protocol dir isAuthenticated sasl user isEncrypted "
        + "sslProto sslCipher sslSsf tenant lastDlvSeconds uptimeSeconds properties opened active adminStatus "
        + "operStatus "
        + "enableProtocolTrace")]
    [InlineData("router.link", "linkType linkDir connectionId identity peer owningAddr capacity undeliveredCount "
        + "unsettledCount deliveryCount presettledCount droppedPresettledCount acceptedCount rejectedCount "
        + "releasedCount modifiedCount deliveriesDelayed1Sec deliveriesDelayed10Sec deliveriesStuck creditAvailable "
        + "zeroCreditSeconds adminStatus operStatus linkName priority settleRate ingressHistogram")]
    [InlineData("router.address", "name key distribution priority inProcess subscriberCount remoteCount containerCount "
        + "deliveriesIngress deliveriesEgress deliveriesTransit deliveriesToContainer deliveriesFromContainer "
        + "deliveriesRedirectedToFallback remoteHostRouters transitOutstanding trackedDeliveries")]
    [InlineData("router.node", "id nextHop routerLink protocolVersion cost linkState validOrigins lastTopoChange "
        + "instance index address")]
    [InlineData("router.config.autoLink", "address direction phase externalAddress linkRef operStatus lastError "
        + "fallback containerId connection")]
    [InlineData("router.config.linkRoute", "prefix pattern direction distribution containerId connection operStatus "
        + "addExternalPrefix delExternalPrefix")]
    [InlineData("policy", "maxConnections defaultVhost connectionsProcessed connectionsDenied linksDenied "
        + "totalDenials")]
    [InlineData("vhost", "hostname maxConnections maxConnectionsPerUser maxConnectionsPerHost allowUnknownUser groups")]
    [InlineData("vhostUserGroupSettings", "users remoteHosts maxConnectionsPerUser maxConnectionsPerHost "
        + "maxMessageSize maxFrameSize maxSessionWindow maxSessions maxSenders maxReceivers allowDynamicSource "
        + "allowAnonymousSender allowUserIdProxy allowWaypointLinks allowDynamicLinkRoutes allowAdminStatusUpdate "
        + "allowFallbackLinks sources targets sourcePattern targetPattern")]
    [InlineData("vhostStats", "hostname id connectionsApproved connectionsDenied perUserState sessionDenied")]
    [InlineData("allocator", "typeName typeSize heldByThreads batchesRebalancedToThreads")]
    public void Every_attribute_that_the_tools_read_is_there(string type, string attributes)
    {
        AmqpMap types = Handle(Properties(("operation", "GET-ATTRIBUTES"), ("entityType", Prefix + type)), new())
            .Reply!.Body.AsMap()!;
        Assert.True(types.TryGet(Prefix + type, out AmqpValue found));
        Assert.Empty(attributes.Split(' ').Except(found.AsList().Select(a => a.AsText())));
    }

    [Theory]
    [InlineData("CREATE", "router.config.exchange", 501, "exchanges")]
    [InlineData("QUERY", "org.apache.qpid.dispatch.router.config.binding", 501, "bindings")]
    [InlineData("CREATE", "nothing", 404, "No such entity type")]
    public void What_is_not_taken_is_said(string operation, string type, int status, string words)
    {
        string place = operation == "QUERY" ? "entityType" : "type";
        ManagementReply reply = Handle(Properties(("operation", operation), (place, type)), new()).Reply!;
        Assert.Equal(status, reply.Status);
        Assert.Contains(words, reply.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void The_routers_are_listed_with_this_one_first()
    {
        ManagementReply reply = Query("router.node", ["id", "nextHop", "linkState", "cost", "index"]);
        Assert.Equal(
            "[[A, (self), [B], null, 0], [B, null, [A, C], 1, 1], [C, B, [], 2, 2]]",
            Field(reply, "results").ToString());
    }

    [Theory]
    [InlineData("router.link", "Unknown attributes ['nosuch'] for type org.apache.qpid.dispatch.router.link.")]
    [InlineData(null, "Unknown attributes ['nosuch'].")]
    public void An_attribute_that_there_is_not_is_said(string? type, string description)
    {
        ManagementReply reply = Query(type, ["name", "nosuch"]);
        Assert.Equal((404, description), (reply.Status, reply.Description));
    }

    [Fact]
    public void Old_names_of_attributes_are_still_known()
    {
        Assert.Equal(200, Query("router.config.autoLink", ["addr", "dir", "externalAddr"]).Status);
        AmqpMap body = new();
        body.Add("addr", "work");
        body.Add("dir", "in");
        AmqpMap properties = Properties(("operation", "CREATE"), ("type", Prefix + "router.config.autoLink"));
        var create = Assert.IsType<CreateEntity>(Handle(properties, body).Command);
        Assert.Equal(("work", "in"),
            (create.Attributes["address"].AsText(), create.Attributes["direction"].AsText()));
    }

    [Fact]
    public void Types_name_what_they_are_by_their_whole_names()
    {
        AmqpMap types = Handle(
            Properties(("operation", "GET-TYPES"), ("entityType", Prefix + "listener")), new()).Reply!.Body.AsMap()!;
        Assert.True(types.TryGet(Prefix + "listener", out AmqpValue bases));
        Assert.Equal(
            [Prefix + "configurationEntity", Prefix + "entity"], bases.AsList().Select(type => type.AsText()));
    }

    [Fact]
    public void Each_router_has_a_management_address()
    {
        AmqpValue nodes = Handle(Properties(("operation", "GET-MGMT-NODES")), new()).Reply!.Body;
        Assert.Equal(
            ["amqp:/_topo/0/A/$management", "amqp:/_topo/0/B/$management", "amqp:/_topo/0/C/$management"],
            nodes.AsList().Select(n => n.AsText()));
    }

    [Fact]
    public void An_entity_is_read_by_identity_or_name()
    {
        AmqpMap byIdentity = Ok(Properties(
            ("operation", "READ"), ("type", Prefix + "router.link"), ("identity", "7"))).AsMap()!;
        Assert.True(byIdentity.TryGet("linkName", out AmqpValue link));
        Assert.Equal("in.orders", link.AsText());
        AmqpMap byName = Ok(Properties(("operation", "READ"), ("name", "amqp"))).AsMap()!;
        Assert.True(byName.TryGet("maxFrameSize", out AmqpValue size) && size == AmqpValue.Long(16384));
        Assert.True(byName.TryGet("port", out AmqpValue port) && port.AsText() == "5672");
    }

    [Theory]
    [InlineData(404, "READ", "type", "org.apache.qpid.dispatch.router.link", "identity", "99")]
    [InlineData(404, "READ", "type", "nothing", "identity", "99")]
    [InlineData(400, "READ", "type", "org.apache.qpid.dispatch.router.link", "x", "y")]
    [InlineData(404, "QUERY", "entityType", "nothing", "x", "y")]
    [InlineData(501, "DANCE", "type", "org.amqp.management", "name", "self")]
    [InlineData(400, "", "type", "org.amqp.management", "name", "self")]
    [InlineData(501, "DELETE", "type", "org.apache.qpid.dispatch.router.link", "identity", "7")]
    [InlineData(501, "CREATE", "type", "org.apache.qpid.dispatch.router.node", "name", "x")]
    [InlineData(404, "CREATE", "type", "nothing", "name", "x")]
    [InlineData(400, "CREATE", "type", "org.apache.qpid.dispatch.router.config.address", "name", "x")]
    [InlineData(400, "UPDATE", "type", "org.apache.qpid.dispatch.router.link", "identity", "7")]
    public void What_cannot_be_done_is_refused(
        int status, string operation, string key, string value, string otherKey, string otherValue)
    {
        ManagementReply reply =
            Handle(Properties(("operation", operation), (key, value), (otherKey, otherValue)), new()).Reply!;
        Assert.Equal(status, reply.Status);
        Assert.NotEmpty(reply.Description);
    }

    [Fact]
    public void A_creation_is_checked_and_becomes_a_command()
    {
        AmqpMap body = new();
        body.Add("prefix", "news");
        body.Add("distribution", "multicast");
        body.Add("waypoint", "yes");
        AmqpMap properties = Properties(("operation", "CREATE"), ("type", Prefix + "router.config.address"));
        properties.Add("name", "n");
        ManagementAnswer answer = Handle(properties, body);
        CreateEntity create = Assert.IsType<CreateEntity>(answer.Command);
        Assert.Equal(("router.config.address", "n"), (create.Type, create.Name));
        Assert.Equal(AmqpValue.Boolean(true), create.Attributes["waypoint"]);
        var made = new ConfiguredEntity(create.Type, "router.config.address/0", "n", create.Attributes);
        ManagementReply reply = answer.ReplyAfter(CommandResult.Done(made));
        Assert.Equal(201, reply.Status);
        Assert.Equal("multicast", Field(reply, "distribution").AsText());
        Assert.Equal("router.config.address/0", Field(reply, "identity").AsText());
        Assert.Equal(400, answer.ReplyAfter(new CommandResult("there is one")).Status);
    }

    [Theory]
    [InlineData("distribution", "sideways")]
    [InlineData("pattern", "also/#")]
    [InlineData("phases", "1")]
    [InlineData("ingressPhase", "many")]
    public void A_creation_with_a_wrong_attribute_is_refused(string key, string value)
    {
        AmqpMap body = new();
        body.Add("prefix", "news");
        body.Add(key, value);
        ManagementReply? reply =
            Handle(Properties(("operation", "CREATE"), ("type", Prefix + "router.config.address")), body).Reply;
        Assert.Equal(400, reply!.Status);
    }

    [Fact]
    public void A_deletion_becomes_a_command_and_answers_no_content()
    {
        ManagementAnswer answer =
            Handle(Properties(("operation", "DELETE"), ("type", Prefix + "listener"), ("name", "amqp")), new());
        Assert.Equal("listener/amqp", Assert.IsType<DeleteEntity>(answer.Command).Entity.Identity);
        Assert.Equal(204, answer.ReplyAfter(CommandResult.Done()).Status);
    }

    [Fact]
    public void Clients_connections_can_be_closed_and_those_of_routers_not()
    {
        AmqpMap body = new();
        body.Add("adminStatus", "deleted");
        AmqpMap properties =
            Properties(("operation", "UPDATE"), ("type", Prefix + "connection"), ("identity", "3"));
        Assert.Equal(new CloseConnection(3), Handle(properties, body).Command);
        RouterView other = View with { Connections = [View.Connections[0] with { Role = "inter-router" }] };
        Assert.Equal(403, Handle(properties, body, other).Reply!.Status);
    }

    [Fact]
    public void Secrets_are_not_shown()
    {
        ManagementReply reply = Query("connector", ["name", "saslPassword"]);
        Assert.Equal("[[out, null]]", Field(reply, "results").ToString());
    }

    [Fact]
    public void The_schema_can_be_had_as_a_map_and_as_text()
    {
        AmqpMap schema = Ok(Properties(("operation", "GET-SCHEMA"))).AsMap()!;
        Assert.True(schema.TryGet("entityTypes", out AmqpValue types));
        Assert.True(types.AsMap()!.TryGet("router.config.autoLink", out _));
        string text = Ok(Properties(("operation", "GET-JSON-SCHEMA"))).AsText()!;
        using var json = System.Text.Json.JsonDocument.Parse(text);
        Assert.Equal("integer", json.RootElement.GetProperty("entityTypes").GetProperty("listener")
            .GetProperty("attributes").GetProperty("cost").GetProperty("type").GetString());
    }

    [Fact]
    public void The_latest_lines_of_the_log_can_be_had()
    {
        AmqpMap properties = Properties(("operation", "GET-LOG"));
        properties.Add("limit", "1");
        Assert.Equal("[[ROUTER, info, second, null, null, 12]]", Ok(properties).ToString());
    }

    [Fact]
    public void A_reply_goes_where_the_request_says()
    {
        AmqpMap properties = Properties(("operation", "GET-MGMT-NODES"));
        byte[] bytes = (AmqpMessage.FromValue(AmqpValue.Map(new AmqpMap())) with
        {
            ApplicationProperties = properties,
            Properties = new MessageProperties { ReplyTo = "amqp:/_topo/0/A/temp.x", CorrelationId = 5ul },
        }).ToArray();
        Assert.True(ManagementRequest.TryRead(bytes, out ManagementRequest? request));
        AmqpMessage reply = ManagementAgent.Handle(request, View).Reply!.ToMessage(request);
        Assert.Equal("amqp:/_topo/0/A/temp.x", reply.Properties!.To);
        Assert.Equal(AmqpValue.ULong(5), reply.Properties.CorrelationId);
        Assert.True(reply.ApplicationProperties!.TryGet("statusCode", out AmqpValue code));
        Assert.Equal(AmqpValue.Int(200), code);
    }

    [Fact]
    public void Bytes_that_are_no_request_are_no_request()
    {
        byte[] bytes = (AmqpMessage.FromValue(AmqpValue.Null) with
        {
            ApplicationProperties = Properties(("operation", "QUERY")),
            Properties = new MessageProperties { ReplyTo = "r" },
        }).ToArray();
        Assert.True(ManagementRequest.TryRead(bytes, out _));
        for (int length = 0; length < bytes.Length; length++)
        {
            ManagementRequest.TryRead(bytes.AsSpan(0, length), out _);
        }
        byte[] noReply = (AmqpMessage.FromValue(AmqpValue.Null) with
        {
            ApplicationProperties = Properties(("operation", "QUERY")),
        }).ToArray();
        Assert.False(ManagementRequest.TryRead(noReply, out _));
    }

    private static ManagementReply Query(string? type, string[] names)
    {
        AmqpMap properties = Properties(("operation", "QUERY"), ("type", "org.amqp.management"), ("name", "self"));
        if (type is not null)
        {
            properties.Add("entityType", Prefix + type);
        }
        return Handle(properties, Names(names)).Reply!;
    }

    private static AmqpMap Names(params string[] names)
    {
        AmqpMap body = new();
        body.Add("attributeNames", AmqpValue.List([.. names.Select(AmqpValue.String)]));
        return body;
    }

    private static AmqpMap Properties(params (string Key, string Value)[] properties)
    {
        AmqpMap map = new();
        foreach ((string key, string value) in properties)
        {
            map.Add(key, value);
        }
        return map;
    }

    private static AmqpValue Ok(AmqpMap properties)
    {
        ManagementReply reply = Handle(properties, new()).Reply!;
        Assert.Equal((200, "OK"), (reply.Status, reply.Description));
        return reply.Body;
    }

    private static ManagementAnswer Handle(AmqpMap properties, AmqpMap body, RouterView? view = null)
    {
        byte[] bytes = (AmqpMessage.FromValue(AmqpValue.Map(body)) with
        {
            ApplicationProperties = properties,
            Properties = new MessageProperties { ReplyTo = "here" },
        }).ToArray();
        Assert.True(ManagementRequest.TryRead(bytes, out ManagementRequest? request));
        return ManagementAgent.Handle(request, view ?? View);
    }

    private static AmqpValue Field(ManagementReply reply, string name) =>
        reply.Body.AsMap()!.TryGet(name, out AmqpValue value) ? value : AmqpValue.Null;

    private static RouterView MakeView()
    {
        var scene = new LinkState.EngineScene();
        scene.Join(1, "B");
        scene.Lsu(1, "B", 1, ("A", 1), ("C", 1));
        scene.Pass(100);
        return new RouterView
        {
            Routes = scene.Engine.Snapshot,
            Mode = "interior",
            Connections = [new ConnectionView { Id = 3, Host = "127.0.0.1:4000", Container = "client" }],
            Links = [new LinkView { Id = 7, Name = "in.orders", ConnectionId = 3, Direction = "in" }],
            Addresses =
            [
                new AddressView { Key = "M0orders", Subscribers = 2, RemoteRouters = ["B"] },
                new AddressView { Key = "M0news", Treatment = AddressTreatment.Multicast },
            ],
            Configured =
            [
                Configured("listener", "amqp", ("host", "0.0.0.0"), ("port", "5672")),
                Configured("connector", "out", ("saslPassword", "a word")),
            ],
            Log = [new LogLine(11, "ROUTER", "info", "first"), new LogLine(12, "ROUTER", "info", "second")],
        };
    }

    private static ConfiguredEntity Configured(
        string type, string name, params (string Key, string Value)[] attributes) =>
        new(type, $"{type}/{name}", name, attributes.ToImmutableDictionary(a => a.Key, a => AmqpValue.String(a.Value)));
}
