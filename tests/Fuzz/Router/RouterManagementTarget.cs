using System.Collections.Immutable;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Fuzz.Router;

/// <summary>
/// Requests to a router's management agent: wrong types, wrong names, values of any kind, broken bytes. Each is no
/// request, or has a reply with a status, or becomes a command that can be answered.
/// </summary>
internal sealed class RouterManagementTarget : IFuzzTarget
{
    private static readonly string[] Operations =
    [
        "QUERY", "READ", "CREATE", "UPDATE", "DELETE", "GET-TYPES", "GET-ATTRIBUTES", "GET-OPERATIONS", "GET-SCHEMA",
        "GET-JSON-SCHEMA", "GET-LOG", "GET-MGMT-NODES", "", "query", "DANCE",
    ];

    private static readonly string[] Types =
    [
        "router", "router.node", "router.link", "router.address", "connection", "listener", "router.config.address",
        "router.config.autoLink", "vhost", "policy", "org.amqp.management", "org.apache.qpid.dispatch.connector", "x",
    ];

    private static readonly string[] Names =
        ["name", "identity", "type", "adminStatus", "prefix", "pattern", "distribution", "hostname", "host", "x", "7"];

    private readonly RouterView _view = MakeView();

    // The whole schema as text is long.
    public long AllocatedBytesMax => 8 << 20;

    public byte[] Make(Random random)
    {
        var values = new AmqpGrammar(random);
        AmqpMap properties = new();
        Put(properties, random, "operation", Operations, values);
        Put(properties, random, random.Next(2) == 0 ? "type" : "entityType", Types, values);
        Put(properties, random, random.Next(2) == 0 ? "identity" : "name", Names, values);
        Put(properties, random, random.Next(2) == 0 ? "offset" : "count", ["0", "1", "-1", "99999999999999"], values);
        AmqpMap body = new();
        foreach (string name in Names.Where(_ => random.Next(4) == 0))
        {
            Put(body, random, name, ["deleted", "multicast", "1", "yes"], values);
        }
        if (random.Next(3) == 0)
        {
            body.Add("attributeNames", AmqpValue.List([.. Names.Select(AmqpValue.String)]));
        }
        byte[] bytes = (AmqpMessage.FromValue(AmqpValue.Map(body)) with
        {
            Properties = new MessageProperties { ReplyTo = "r", CorrelationId = values.Value(1) },
            ApplicationProperties = properties,
        }).ToArray();
        for (int i = random.Next(4) == 0 ? random.Next(4) : 0; i > 0; i--)
        {
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        }
        return bytes;
    }

    public void Take(byte[] input)
    {
        if (!ManagementRequest.TryRead(input, out ManagementRequest? request))
        {
            return;
        }
        ManagementAnswer answer = ManagementAgent.Handle(request, _view);
        ManagementReply reply = answer.Reply ?? answer.ReplyAfter(CommandResult.Done());
        if (reply.Status is < 200 or > 599 || reply.Description.Length == 0)
        {
            throw new InvalidOperationException($"status {reply.Status} {reply.Description}");
        }
        AmqpMessage.Read(reply.ToMessage(request).ToArray());
    }

    private static void Put(AmqpMap map, Random random, string key, string[] texts, AmqpGrammar values)
    {
        if (random.Next(8) != 0)
        {
            map.Set(key, random.Next(10) == 0 ? values.Value(2) : texts[random.Next(texts.Length)]);
        }
    }

    private static RouterView MakeView() => new()
    {
        Routes = new RouterEngine(new RouterOptions { Id = "A", Instance = 1 }).Snapshot,
        Connections = [new ConnectionView { Id = 7, Host = "h" }],
        Links = [new LinkView { Id = 7, Name = "x", ConnectionId = 7, Direction = "in" }],
        Addresses = [new AddressView { Key = "M0x" }],
        Configured = [new ConfiguredEntity("listener", "7", "x", ImmutableDictionary<string, AmqpValue>.Empty)],
    };
}
