using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>Requests to the router's agent, and its replies.</summary>
internal static class ManagementSteps
{
    public static byte[] Create(string type, string replyTo, params (string Name, string Value)[] attributes) =>
        Request("CREATE", type, replyTo, null, attributes);

    public static byte[] Delete(string type, string replyTo, string identity) =>
        Request("DELETE", type, replyTo, identity, []);

    /// <summary>The next message that a peer gets on its first link.</summary>
    public static AmqpMessage Reply(AmqpPeer peer)
    {
        ReceivedFrame frame = peer.Next();
        while (frame.Descriptor != Transfer.DescriptorCode)
        {
            frame = peer.Next();
        }

        frame.AsTransfer(out byte[] message);
        return AmqpMessage.Read(message);
    }

    public static long StatusOf(AmqpMessage reply) =>
        reply.ApplicationProperties!.TryGet("statusCode", out AmqpValue status) && status.TryGetInt64(out long code)
            ? code : 0;

    private static byte[] Request(
        string operation, string type, string replyTo, string? identity, (string Name, string Value)[] attributes)
    {
        var properties = new AmqpMap();
        properties.Add("operation", operation);
        properties.Add("type", "org.apache.qpid.dispatch." + type);
        if (identity is not null)
        {
            properties.Add("identity", identity);
        }

        var body = new AmqpMap();
        foreach ((string name, string value) in attributes)
        {
            body.Add(name, value);
        }

        return new AmqpMessage
        {
            Properties = new MessageProperties { ReplyTo = replyTo },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = AmqpValue.Map(body),
        }.ToArray();
    }
}
