using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>How a look at the first bytes of a message ended.</summary>
internal enum HeadScan : byte
{
    /// <summary>The bare message has begun.</summary>
    Found,

    /// <summary>The bytes end before it begins, between sections.</summary>
    NotBegun,

    /// <summary>The bytes end within a section.</summary>
    Cut,
}

/// <summary>
/// What a router looks at of a message: the sections before the bare message (part 3 section 3.2). The rest is not
/// looked at, unless the message's own address is wanted.
/// </summary>
internal readonly struct RoutedHead
{
    /// <summary>Where the message annotations begin; the bare message, when there are none.</summary>
    public int AnnotationsOffset { get; private init; }

    /// <summary>Where their map begins; 0: there are none.</summary>
    public int AnnotationsMap { get; private init; }

    /// <summary>Where the bare message begins.</summary>
    public int BareOffset { get; private init; }

    /// <summary>The header's priority; 4 without one.</summary>
    public int Priority { get; private init; }

    /// <summary>Finds them in the first bytes of a message. Errors: decode-error.</summary>
    public static HeadScan Scan(ReadOnlySpan<byte> message, out RoutedHead head)
    {
        var reader = new AmqpReader(message);
        int annotations = -1;
        int map = 0;
        int priority = 4;
        head = default;
        HeadScan found = HeadScan.NotBegun;
        while (!reader.AtEnd)
        {
            int start = reader.Position;
            if (message.Length - start < 3)
            {
                return HeadScan.Cut;
            }

            // Sections have one-byte codes; who writes them longer is understood too.
            if (message[start] != FormatCode.Described)
            {
                throw AmqpException.Decode("a section does not begin with a descriptor");
            }

            ulong section = message[start + 1] == FormatCode.SmallULong
                ? message[start + 2]
                : reader.PeekDescriptor();
            if (section > Descriptors.MessageAnnotations || section < HeaderSection.DescriptorCode)
            {
                found = HeadScan.Found;
                break;
            }

            reader.ReadDescriptor();
            int content = reader.Position;
            if (!reader.TrySkip())
            {
                return HeadScan.Cut;
            }

            if (section == HeaderSection.DescriptorCode)
            {
                priority = PriorityOf(message[content..]);
            }
            else if (section == Descriptors.MessageAnnotations)
            {
                (annotations, map) = (start, content);
                found = HeadScan.Found;
                break;
            }
        }

        head = new RoutedHead
        {
            AnnotationsOffset = annotations < 0 ? reader.Position : annotations,
            AnnotationsMap = map,
            BareOffset = reader.Position,
            Priority = priority,
        };
        return found;
    }

    /// <summary>The message's own address, in UTF-8; empty: it has none. False: more bytes are needed.</summary>
    public bool TryReadTo(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> to)
    {
        to = default;
        ReadOnlySpan<byte> bare = message[BareOffset..];
        if (bare.Length < 3)
        {
            return false;
        }

        var reader = new AmqpReader(bare);
        if (reader.PeekDescriptor() != MessageProperties.DescriptorCode)
        {
            return true;
        }

        reader.ReadDescriptor();
        int content = reader.Position;
        if (!reader.TrySkip())
        {
            return false;
        }

        to = new PropertiesSection(bare[content..reader.Position]).ToUtf8;
        return true;
    }

    /// <summary>The user that the message names; empty: none, or its properties are not whole. Errors:
    /// decode-error.</summary>
    public ReadOnlySpan<byte> UserIdOf(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> bare = message[BareOffset..];
        if (bare.Length < 3)
        {
            return default;
        }

        var reader = new AmqpReader(bare);
        if (reader.PeekDescriptor() != MessageProperties.DescriptorCode)
        {
            return default;
        }

        reader.ReadDescriptor();
        int content = reader.Position;
        return reader.TrySkip() ? new PropertiesSection(bare[content..reader.Position]).UserId : default;
    }

    private static int PriorityOf(ReadOnlySpan<byte> header)
    {
        var reader = new AmqpReader(header);
        return HeaderSection.ReadFields(ref reader).Priority is { } priority ? Math.Min((int)priority, 9) : 4;
    }
}
