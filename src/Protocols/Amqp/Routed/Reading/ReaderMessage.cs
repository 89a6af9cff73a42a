using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Reading;

/// <summary>
/// What the node of a stream and the node of a reader say to each other, in messages of the network. Pure.
/// </summary>
/// <remarks>
/// <code>
/// open   to the stream's door, with reply-to: a map of what the reader's attach said
/// alive  to the reading's own address, from time to time
/// close  to the reading's own address
/// drain  to the reading's own address: the reader wants to hear when it has got all that there is now
/// opened to the reply-to, with the annotation at 0: a map with the reading's own address
/// ended  to the reply-to, with the annotation at -1: a map with condition and description
/// drained to the reply-to, with the annotation at -2: a map with the number of the last record
/// record to the reply-to, with the annotation at 1, 2, 3...
/// </code>
/// The node of who draws from a queue or a topic asks all whose brokers have it (see <see cref="Drawing.BrokerDoor"/>):
/// <code>
/// drain  to the address's mark, with reply-to: a map with the router at which who draws is; accepted when
/// behind the last message that was to come a drained message has been accepted at the reply-to
/// </code>
/// </remarks>
internal static class ReaderMessage
{
    /// <summary>The number of the message that says that the reading has begun.</summary>
    public const long Opened = 0;

    /// <summary>The number of the message that says that it has ended.</summary>
    public const long Ended = -1;

    /// <summary>The number of the message that says that there is nothing more now.</summary>
    public const long Drained = -2;

    /// <summary>What a peer's link has lost its way by (in the words of the router protocol's peers).</summary>
    public const string LinkLost = "qd:routed-link-lost";

    private const string Door = "_$broker.stream/";
    private const string Opcode = "opcode";

    private static ReadOnlySpan<byte> NumberKey => "x-opt-stream-number"u8;

    /// <summary>Where readings of a stream are asked for.</summary>
    public static string DoorOf(string stream) => Door + stream;

    /// <summary>Whether an address is one that nodes alone use between them.</summary>
    public static bool IsReserved(string address) => address.Contains("_$broker.", StringComparison.Ordinal);

    /// <summary>Asks for a reading.</summary>
    public static byte[] Open(string door, string replyTo, Attach attach)
    {
        var body = new AmqpMap();
        body.Add("name", attach.Name);
        body.Add("address", attach.Source!.Address);
        if (attach.Source.Filter is { } filter)
        {
            body.Add("filter", AmqpValue.Map(filter));
        }

        if (attach.Properties is { } properties)
        {
            body.Add("properties", AmqpValue.Map(properties));
        }

        return Compose(door, replyTo, "OPEN", body, number: null);
    }

    /// <summary>The reader is still there, or is not any more.</summary>
    public static byte[] Sign(string to, bool isAlive) =>
        Compose(to, replyTo: null, isAlive ? "ALIVE" : "CLOSE", new AmqpMap(), number: null);

    /// <summary>Asks to hear when all that there is now has come.</summary>
    public static byte[] Drain(string to, string? replyTo, string router)
    {
        var body = new AmqpMap();
        body.Add("router", router);
        return Compose(to, replyTo, "DRAIN", body, number: null);
    }

    /// <summary>All that there was has come, up to a record.</summary>
    public static byte[] Empty(string to, long last)
    {
        var body = new AmqpMap();
        body.Add("last", last);
        return Compose(to, replyTo: null, "DRAINED", body, Drained);
    }

    /// <summary>The reading has begun.</summary>
    public static byte[] Begun(string to, string address)
    {
        var body = new AmqpMap();
        body.Add("address", address);
        return Compose(to, replyTo: null, "OPENED", body, Opened);
    }

    /// <summary>The reading has ended, or was refused.</summary>
    public static byte[] Over(string to, AmqpError reason)
    {
        var body = new AmqpMap();
        body.Add("condition", reason.Condition);
        body.Add("description", reason.Description);
        return Compose(to, replyTo: null, "ENDED", body, Ended);
    }

    /// <summary>What a message says; null: it is none of these. Errors: decode-error.</summary>
    public static (string Opcode, string? ReplyTo, AmqpMap Body)? Read(ReadOnlySpan<byte> message)
    {
        AmqpMessage read = AmqpMessage.Read(message);
        return read.ApplicationProperties is { } properties && properties.TryGet(Opcode, out AmqpValue opcode)
            && opcode.AsText() is { } text && read.Value.AsMap() is { } body
            ? (text, read.Properties?.ReplyTo, body)
            : null;
    }

    /// <summary>The attach of the reader, as far as it was told; null: it names no address.</summary>
    public static Attach? AttachOf(AmqpMap body) =>
        TextOf(body, "address") is not { } address ? null : new Attach
        {
            Name = TextOf(body, "name") ?? "",
            Handle = 0,
            Role = Role.Receiver,
            Source = new Source { Address = address, Filter = MapOf(body, "filter") },
            Properties = MapOf(body, "properties"),
        };

    /// <summary>The text of an entry, or null.</summary>
    public static string? TextOf(AmqpMap body, string key) =>
        body.TryGet(key, out AmqpValue value) ? value.AsText() : null;

    /// <summary>The number of an entry, or null.</summary>
    public static long? IntegerOf(AmqpMap body, string key) =>
        body.TryGet(key, out AmqpValue value) && value.TryGetInt64(out long number) ? number : null;

    /// <summary>A message with its number in front of its annotations.</summary>
    public static byte[] Number(ReadOnlySpan<byte> message, long number)
    {
        RoutedHead.Scan(message, out RoutedHead head);
        var output = new ArrayBufferWriter<byte>(message.Length + 64);
        var writer = new AmqpWriter(output);
        writer.WriteRaw(message[..head.AnnotationsOffset]);
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        int map = writer.BeginCompound();
        writer.WriteSymbolAscii(NumberKey);
        writer.WriteLong(number);
        int count = 2;
        if (head.AnnotationsMap > 0)
        {
            var reader = new AmqpReader(message[head.AnnotationsMap..head.BareOffset]);
            count += reader.ReadMapHeader().Count;
            writer.WriteRaw(reader.Rest);
        }

        writer.EndMap(map, count);
        writer.WriteRaw(message[head.BareOffset..]);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A message's number; null: it has none in front. Errors: decode-error.</summary>
    public static long? NumberOf(ReadOnlySpan<byte> message)
    {
        RoutedHead.Scan(message, out RoutedHead head);
        if (head.AnnotationsMap == 0)
        {
            return null;
        }

        var reader = new AmqpReader(message[head.AnnotationsMap..head.BareOffset]);
        if (reader.ReadMapHeader().Count < 2)
        {
            return null;
        }

        AmqpScalar key = reader.ReadScalar();
        return key.Type == AmqpType.Symbol && key.Content.SequenceEqual(NumberKey)
            && reader.ReadScalar().TryGetInt64(out long number) ? number : null;
    }

    private static AmqpMap? MapOf(AmqpMap body, string key) =>
        body.TryGet(key, out AmqpValue value) ? value.AsMap() : null;

    private static byte[] Compose(string to, string? replyTo, string opcode, AmqpMap body, long? number)
    {
        var properties = new AmqpMap();
        properties.Add(Opcode, opcode);
        byte[] message = new AmqpMessage
        {
            Properties = new MessageProperties { To = to, ReplyTo = replyTo },
            ApplicationProperties = properties,
            BodyKind = BodyKind.Value,
            Value = AmqpValue.Map(body),
        }.ToArray();
        return number is { } given ? Number(message, given) : message;
    }
}
