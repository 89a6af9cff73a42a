using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>
/// Addresses of the edge whose links go on as a whole to a container there, as the interior is told of them: a link
/// route that the edge makes for its own connection (CREATE of <c>router.connection.linkRoute</c>), and removes when
/// the container is gone. Owned by the connection's loop.
/// </summary>
internal sealed class UplinkLinkRoutes(ConnectionEndpoint connection, UplinkQuestions questions)
{
    private const string Type = "org.apache.qpid.dispatch.router.connection.linkRoute";
    private const int Created = 201;
    private const int TriesMax = 5;

    private readonly Dictionary<string, Told> _all = new(StringComparer.Ordinal);
    private bool _isOver;

    /// <summary>The edge has containers for the addresses, or none any more.</summary>
    public void OnTold(in UplinkLinkRoute route, bool isThere)
    {
        if (!_all.TryGetValue(route.Key, out Told? told))
        {
            if (!isThere)
            {
                return;
            }

            _all.Add(route.Key, told = new Told(route));
        }

        told.IsWanted = isThere;
        Bring(told);
    }

    /// <summary>The connection is over: what was told has ended with it.</summary>
    public void OnConnectionOver() => _isOver = true;

    // From what the interior knows to what is so; one request at a time.
    private void Bring(Told told)
    {
        if (told.IsAsked || _isOver)
        {
            return;
        }

        if (told is { IsWanted: true, Identity: null })
        {
            Ask(told, "CREATE", BodyOf(told.Route), answer => OnCreated(told, answer));
        }
        else if (told is { IsWanted: false, Identity: not null })
        {
            Ask(told, "DELETE", new AmqpMap(), _ => told.Identity = null);
        }
        else if (!told.IsWanted)
        {
            _all.Remove(told.Route.Key);
        }
    }

    private void Ask(Told told, string operation, AmqpMap body, Action<AmqpMessage?> take)
    {
        told.IsAsked = true;
        var properties = new AmqpMap();
        properties.Add("operation", operation);
        properties.Add("type", Type);
        properties.Add("name", NameOf(told.Route));
        if (told.Identity is { } identity)
        {
            properties.Add("identity", identity);
        }

        questions.Manage(properties, body, answer =>
        {
            told.IsAsked = false;
            if (!_isOver)
            {
                take(answer);
                Bring(told);
            }
        });
    }

    // One that is refused stays unknown there: it would be refused again.
    private void OnCreated(Told told, AmqpMessage? answer)
    {
        if (answer is null && ++told.Tries < TriesMax)
        {
            return;
        }

        AmqpMap? properties = answer?.ApplicationProperties;
        long status = 0;
        if (properties is not null && properties.TryGet("statusCode", out AmqpValue code))
        {
            code.TryGetInt64(out status);
        }

        AmqpValue identity = default;
        if (status == Created && answer!.Value.AsMap()?.TryGet("identity", out identity) == true)
        {
            told.Identity = identity.AsText();
        }

        if (told.Identity is null)
        {
            Log.LinkRouteUnknown(
                connection.Environment.Logger, told.Route.Pattern, connection.ContainerId, $"status {status}");
            told.IsWanted = false;
        }
    }

    private AmqpMap BodyOf(in UplinkLinkRoute route)
    {
        var body = new AmqpMap();
        body.Add("type", Type);
        body.Add("pattern", route.Pattern);
        body.Add("direction", route.IsForSenders ? "in" : "out");
        body.Add("name", NameOf(route));
        return body;
    }

    private string NameOf(in UplinkLinkRoute route) => $"{connection.Network!.NodeId}/proxyLinkRoute/{route.Key}";

    /// <summary>What the interior knows of one of them.</summary>
    private sealed class Told(UplinkLinkRoute route)
    {
        public UplinkLinkRoute Route { get; } = route;

        public bool IsWanted { get; set; }

        /// <summary>Whether an answer is awaited.</summary>
        public bool IsAsked { get; set; }

        /// <summary>How often nothing was answered.</summary>
        public int Tries { get; set; }

        /// <summary>What the interior calls it; null: it does not know it.</summary>
        public string? Identity { get; set; }
    }
}
