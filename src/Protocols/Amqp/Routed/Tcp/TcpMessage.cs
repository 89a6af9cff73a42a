using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>What a message says that carries one direction of a TCP connection.</summary>
/// <param name="ReplyTo">Where the other direction goes; null: this is the other direction.</param>
/// <param name="ConnectionId">The connection's name, for people.</param>
/// <param name="BodyOffset">Where the octets begin in its first bytes.</param>
internal readonly record struct TcpMessage(string? ReplyTo, string? ConnectionId, int BodyOffset)
{
    /// <summary>The longest head that is looked at.</summary>
    public const int HeadBytesMax = 4096;

    private const string ContentType = "application/octet-stream";
    private const uint MappingVersion = 1;

    /// <summary>
    /// The message's head: properties, the mapping's version, an empty body; the octets follow as they are.
    /// </summary>
    public static byte[] Head(string to, string? replyTo, string connectionId)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        new MessageProperties
        {
            To = to,
            ReplyTo = replyTo,
            CorrelationId = connectionId,
            ContentType = ContentType,
        }.Write(ref writer);
        writer.WriteDescriptor(Descriptors.ApplicationProperties);
        int map = writer.BeginCompound();
        writer.WriteString("V");
        writer.WriteUInt(MappingVersion);
        writer.EndMap(map, 2);
        writer.WriteDescriptor(Descriptors.AmqpValue);
        writer.WriteNull();
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a head. Errors: decode-error, when it is none of this mapping.</summary>
    public static TcpMessage Read(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> head = message[..Math.Min(message.Length, HeadBytesMax)];
        var reader = new AmqpReader(head);
        string? replyTo = null;
        string? connectionId = null;
        while (!reader.AtEnd)
        {
            ulong section = reader.ReadDescriptor();
            int content = reader.Position;
            reader.Skip();
            if (section == MessageProperties.DescriptorCode)
            {
                var properties = new PropertiesSection(head[content..reader.Position]);
                replyTo = properties.ReplyTo;
                connectionId = properties.CorrelationId.GetText();
            }
            else if (section == Descriptors.AmqpValue)
            {
                return new TcpMessage(replyTo, connectionId, reader.Position);
            }
        }

        throw AmqpException.Decode("the message does not carry a TCP connection");
    }
}
