using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Edges;

/// <summary>
/// What a router of the interior answers to routers at the edge, at addresses of its own: what is known of an address
/// that a client of the edge attaches to, and nothing to the edge's heartbeats. Pure.
/// </summary>
internal static class EdgeServices
{
    /// <summary>Where edges ask what is known of an address.</summary>
    public const string Lookup = "_$qd.addr_lookup";

    /// <summary>Where edges say that they are there.</summary>
    public const string Heartbeat = "_$qd.edge_heartbeat";

    private const int LookupOpcode = 1;
    private const uint Good = 0;
    private const uint BadRequest = 1;

    // request   application-properties version (1), opcode (1); body list: address, whether the edge's link receives
    //           (and so its client sends)
    // reply     application-properties version, opcode, status; body list: is a link route, has destinations, and for
    //           nodes like this one whether a broker has the address: queue, topic or null

    /// <summary>Answers a look-up; null: it is none that could be answered.</summary>
    /// <param name="message">The request.</param>
    /// <param name="hasDestinations">Whether an address has destinations.</param>
    /// <param name="hasContainer">Of an address, and whether who asks sends there: whether a container takes its links,
    /// null when they do not go through as a whole.</param>
    /// <param name="broker">Of an address: what a broker in the network has it as.</param>
    public static ServiceMessage? AnswerLookup(
        ReadOnlySpan<byte> message, Func<string, bool> hasDestinations, Func<string, bool, bool?> hasContainer,
        Func<string, string?> broker)
    {
        AmqpMessage request;
        IReadOnlyList<AmqpValue> asked;
        string? address;
        bool toSend;
        try
        {
            request = AmqpMessage.Read(message);
            asked = request.Value.AsList();
            address = asked.Count > 0 ? asked[0].AsText() : null;
            toSend = asked.Count > 1 && asked[1].AsBoolean();
        }
        catch (AmqpException)
        {
            return null;
        }

        if (request.Properties?.ReplyTo is not { Length: > 0 } replyTo)
        {
            return null;
        }

        var properties = new AmqpMap();
        properties.Add("version", 1u);
        properties.Add("opcode", (uint)LookupOpcode);
        properties.Add("status", address is null ? BadRequest : Good);
        bool? container = address is null ? null : hasContainer(address, toSend);
        var reply = new AmqpMessage
        {
            Properties = new MessageProperties { To = replyTo, CorrelationId = request.Properties.CorrelationId },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = AmqpValue.List(
                container is not null, container ?? (address is not null && hasDestinations(address)),
                address is not null && broker(address) is { } kind ? kind : AmqpValue.Null),
        };
        return new ServiceMessage(replyTo, reply.ToArray());
    }
}
