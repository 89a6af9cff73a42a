using System.Buffers.Binary;
using System.IO.Compression;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Content;

/// <summary>
/// The bodies of the message types. Compressed ones are opened here, and nowhere else: between OpenWire clients they
/// pass as they are. Pure.
/// </summary>
internal static class ContentBodies
{
    /// <summary>Bytes that a compressed body may open to.</summary>
    public const int OpenedBytesMax = 64 << 20;

    /// <summary>Reads a body. Errors: <see cref="OpenWireException"/>, <see cref="InvalidDataException"/>.</summary>
    public static void Read(Message message, MessageContent content)
    {
        ReadOnlyMemory<byte> body = message.Content ?? default;
        if (message.Compressed && !body.IsEmpty)
        {
            body = Open(message.Type == DataType.BytesMessage ? body[Math.Min(4, body.Length)..] : body);
        }

        switch (message.Type)
        {
            case DataType.TextMessage:
                content.Form = message.Content is null ? BodyForm.None : BodyForm.Text;
                content.Bytes = body.IsEmpty ? body : JavaText.ToUtf8(Sized(body));
                break;
            case DataType.BytesMessage:
                content.Form = BodyForm.Binary;
                content.Bytes = body;
                break;
            case DataType.ObjectMessage:
                content.Form = message.Content is null ? BodyForm.None : BodyForm.Object;
                content.Bytes = body;
                break;
            case DataType.MapMessage:
                content.Form = BodyForm.Map;
                content.Value = ContentValue.Map(body.IsEmpty ? [] : PrimitiveValues.ReadEntries(body));
                break;
            case DataType.StreamMessage:
                content.Form = BodyForm.List;
                content.Value = ContentValue.List(PrimitiveValues.ReadStream(body));
                break;
            default:
                content.Form = BodyForm.None;
                break;
        }
    }

    /// <summary>A message of the type that the body asks for.</summary>
    public static Message ToMessage(MessageContent content) => content.Form switch
    {
        BodyForm.Text => new Message(DataType.TextMessage) { Content = ToSized(JavaText.FromUtf8(content.Bytes)) },
        BodyForm.Binary => new Message(DataType.BytesMessage) { Content = content.Bytes },
        BodyForm.Object => new Message(DataType.ObjectMessage) { Content = content.Bytes },
        BodyForm.Map => new Message(DataType.MapMessage) { Content = WriteMap(content.Value) },
        BodyForm.List => new Message(DataType.StreamMessage) { Content = WriteStream(content.Value) },
        BodyForm.Value => new Message(DataType.TextMessage)
        {
            Content = ToSized(JavaText.Encode(content.Value.ToString())),
        },
        _ => new Message(DataType.Message),
    };

    // A text's length stands before it, in four bytes.
    private static ReadOnlyMemory<byte> Sized(ReadOnlyMemory<byte> body)
    {
        int length = body.Length < 4 ? -1 : BinaryPrimitives.ReadInt32BigEndian(body.Span);
        return length >= 0 && length <= body.Length - 4
            ? body.Slice(4, length)
            : throw new OpenWireException($"a text of {length} bytes in a body of {body.Length}");
    }

    private static byte[] ToSized(ReadOnlyMemory<byte> text)
    {
        byte[] body = new byte[text.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(body, text.Length);
        text.CopyTo(body.AsMemory(4));
        return body;
    }

    private static byte[] WriteMap(in ContentValue map)
    {
        var writer = new PrimitiveWriter();
        var entries = new Dictionary<string, ContentValue>(StringComparer.Ordinal);
        foreach ((string name, ContentValue value) in map.Entries)
        {
            entries[name] = value;
        }

        PrimitiveValues.WriteEntries(writer, entries);
        return writer.ToArray();
    }

    private static byte[] WriteStream(in ContentValue list)
    {
        var writer = new PrimitiveWriter();
        foreach (ContentValue item in list.Items)
        {
            PrimitiveValues.Write(writer, item);
        }

        return writer.ToArray();
    }

    private static byte[] Open(ReadOnlyMemory<byte> compressed)
    {
        using var source = new ZLibStream(
            new MemoryStream(compressed.ToArray(), writable: false), CompressionMode.Decompress);
        var opened = new MemoryStream();
        byte[] piece = new byte[16 << 10];
        int read;
        while ((read = source.Read(piece)) > 0)
        {
            if (opened.Length + read > OpenedBytesMax)
            {
                throw new OpenWireException($"a compressed body opens to more than {OpenedBytesMax} bytes");
            }

            opened.Write(piece, 0, read);
        }

        return opened.ToArray();
    }
}
