using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>What nodes say to each other when a client drains its link, byte by byte.</summary>
internal static class DrainSteps
{
    /// <summary>Asks for what is still to come.</summary>
    public static byte[] Question(string replyTo, string router)
    {
        var body = new AmqpMap();
        body.Add("router", router);
        return Message("DRAIN", replyTo, body);
    }

    /// <summary>All that there was has come.</summary>
    public static byte[] Answer() => Message("DRAINED", null, new AmqpMap());

    /// <summary>What a message says: its opcode, where to answer, and the router that it names.</summary>
    public static (string? Opcode, string? ReplyTo, string? Router) Read(byte[] message)
    {
        AmqpMessage read = AmqpMessage.Read(message);
        AmqpMap body = read.Value.AsMap() ?? new AmqpMap();
        return (TextOf(read.ApplicationProperties!, "opcode"), read.Properties!.ReplyTo, TextOf(body, "router"));
    }

    private static string? TextOf(AmqpMap map, string key) =>
        map.TryGet(key, out AmqpValue value) ? value.AsText() : null;

    private static byte[] Message(string opcode, string? replyTo, AmqpMap body)
    {
        var properties = new AmqpMap();
        properties.Add("opcode", opcode);
        return new AmqpMessage
        {
            Properties = new MessageProperties { ReplyTo = replyTo },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = AmqpValue.Map(body),
        }.ToArray();
    }
}
