using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>The router's entries that a message gets on its way to another router: encoded, and how many keys and
/// values
/// they are.</summary>
internal readonly record struct RouterStamp(byte[] Entries, int Count)
{
    /// <summary>Of a message that enters the network here.</summary>
    public static RouterStamp Of(INetwork network, string? to, int phase, bool isPreSettled = false)
    {
        byte[] entries = RouterNotes.Entries(network.StampId, to, phase, isPreSettled, out int count);
        return new RouterStamp(entries, count);
    }

    /// <summary>Of a message without an end in sight.</summary>
    public static RouterStamp OfStream(INetwork network, string to, int phase)
    {
        byte[] entries = RouterNotes.Entries(
            network.StampId, System.Text.Encoding.UTF8.GetBytes(to), phase, isPreSettled: false,
            new RouterNotes { IsStream = true }, out int count);
        return new RouterStamp(entries, count);
    }
}

/// <summary>Messages that enter the network here: the bare message as it came, the annotations made anew.</summary>
internal static class RoutedBytes
{
    /// <summary>Bytes that a message grows by at most, besides its stamp.</summary>
    public const int SectionBytesMax = 16;

    /// <summary>Writes a message for another router, with its stamp; returns how many bytes it is.</summary>
    public static int Write(
        ReadOnlySpan<byte> message, in RoutedHead head, scoped in RouterNotes notes, in RouterStamp stamp,
        Span<byte> into)
    {
        var writer = new AmqpWriter(into);
        writer.WriteRaw(message[..head.AnnotationsOffset]);
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        int map = writer.BeginCompound();
        writer.WriteRaw(notes.User);
        writer.WriteRaw(stamp.Entries);
        writer.EndMap(map, notes.UserCount + stamp.Count);
        writer.WriteRaw(message[head.BareOffset..]);
        return writer.Position;
    }
}
