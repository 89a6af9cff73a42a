namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Where a section lies in the bytes of a message.</summary>
/// <param name="Offset">Of its 0x00.</param>
/// <param name="ContentOffset">Of what follows the descriptor: the encoded list, map, binary or value.</param>
/// <param name="End">Behind its last byte.</param>
public readonly record struct SectionRange(int Offset, int ContentOffset, int End)
{
    public bool IsPresent => End > 0;

    public int Bytes => End - Offset;

    /// <summary>The whole section.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> message) => message[Offset..End];

    /// <summary>The encoded list, map, binary or value; empty when the section is absent.</summary>
    public ReadOnlySpan<byte> ContentOf(ReadOnlySpan<byte> message) => message[ContentOffset..End];
}

/// <summary>Which of the three bodies a message has (part 3 section 3.2).</summary>
public enum BodyKind : byte
{
    /// <summary>None, which the specification does not allow but clients send.</summary>
    None,
    Data,
    Sequence,
    Value,
}

// Part 3 section 3.2:
//
//                                                       Bare Message
//                                                             |
//                                       .---------------------+--------------------.
//                                       |                                          |
//  +--------+-------------+-------------+------------+--------------+--------------+--------+
//  | header | delivery-   | message-    | properties | application- | application- | footer |
//  |        | annotations | annotations |            | properties   | data         |        |
//  +--------+-------------+-------------+------------+--------------+--------------+--------+
//
// Each at most once and in this order; application-data is one or more data, one or more amqp-sequence, or one
// amqp-value.

/// <summary>
/// The sections of a message, found without decoding them. Their order and their outer types are checked, their inside
/// is not.
/// </summary>
public readonly struct MessageSections
{
    public SectionRange Header { get; private init; }

    public SectionRange DeliveryAnnotations { get; private init; }

    public SectionRange MessageAnnotations { get; private init; }

    public SectionRange Properties { get; private init; }

    public SectionRange ApplicationProperties { get; private init; }

    /// <summary>From the first body section to the last; the content is that of the first.</summary>
    public SectionRange Body { get; private init; }

    public SectionRange Footer { get; private init; }

    public BodyKind BodyKind { get; private init; }

    /// <summary>How many data or amqp-sequence sections the body has.</summary>
    public int BodySections { get; private init; }

    /// <summary>Where the properties, or what comes first after the annotations, begin.</summary>
    public int BareOffset => Math.Max(Header.End, Math.Max(DeliveryAnnotations.End, MessageAnnotations.End));

    /// <summary>Where the body begins, or would.</summary>
    public int BodyOffset => Math.Max(BareOffset, Math.Max(Properties.End, ApplicationProperties.End));

    /// <summary>Finds the sections of a whole message; bytes that are none are a decode error.</summary>
    public static MessageSections Scan(ReadOnlySpan<byte> message)
    {
        SectionScanner scanner = new(message);
        while (!scanner.AtEnd)
        {
            if (scanner.Next(headOnly: false) == SectionScanner.Step.NeedMore)
            {
                throw AmqpException.Decode("the message ends within a section");
            }
        }
        return scanner.Sections;
    }

    /// <summary>
    /// Finds the sections before the body in the first bytes of a message. False: the body did not begin yet, and more
    /// bytes are needed (unless the message ends here; then <see cref="Scan"/> it). True: <see cref="Body"/> tells only
    /// where the body begins.
    /// </summary>
    public static bool TryScanHead(ReadOnlySpan<byte> prefix, out MessageSections sections)
    {
        SectionScanner scanner = new(prefix);
        SectionScanner.Step step = SectionScanner.Step.Section;
        while (step == SectionScanner.Step.Section)
        {
            step = scanner.Next(headOnly: true);
        }
        sections = scanner.Sections;
        return step == SectionScanner.Step.BodyBegins;
    }

    /// <summary>Walks over the bytes and collects the ranges.</summary>
    private ref struct SectionScanner(ReadOnlySpan<byte> message)
    {
        private readonly ReadOnlySpan<byte> _message = message;
        private AmqpReader _reader = new(message);
        private int _lastRank = -1;

        public enum Step
        {
            Section,
            BodyBegins,
            NeedMore,
        }

        private const int BodyRank = 5;

        public MessageSections Sections { get; private set; }

        public readonly bool AtEnd => _reader.AtEnd;

        public Step Next(bool headOnly)
        {
            int offset = _reader.Position;
            if (!TryReadDescriptor(out ulong descriptor))
            {
                return Step.NeedMore;
            }
            int rank = CheckOrder(descriptor);
            int content = _reader.Position;
            if (headOnly && rank >= BodyRank)
            {
                Sections = With(descriptor, new SectionRange(offset, content, content));
                return Step.BodyBegins;
            }
            if (!_reader.TrySkip())
            {
                return Step.NeedMore;
            }
            CheckType(descriptor, _message[content]);
            Sections = With(descriptor, new SectionRange(offset, content, _reader.Position));
            return Step.Section;
        }

        private bool TryReadDescriptor(out ulong descriptor)
        {
            descriptor = 0;
            if (_reader.AtEnd)
            {
                return false;
            }
            if (_reader.PeekFormatCode() != FormatCode.Described)
            {
                throw AmqpException.Decode("a section does not begin with a descriptor");
            }
            AmqpReader ahead = new(_message[(_reader.Position + 1)..]);
            if (!ahead.TrySkip())
            {
                return false;
            }
            descriptor = _reader.ReadDescriptor();
            return true;
        }

        private int CheckOrder(ulong descriptor)
        {
            int rank = descriptor switch
            {
                HeaderSection.DescriptorCode => 0,
                Descriptors.DeliveryAnnotations => 1,
                Descriptors.MessageAnnotations => 2,
                MessageProperties.DescriptorCode => 3,
                Descriptors.ApplicationProperties => 4,
                Descriptors.Data or Descriptors.AmqpSequence or Descriptors.AmqpValue => BodyRank,
                Descriptors.Footer => 6,
                _ => throw AmqpException.Decode($"descriptor 0x{descriptor:x} is no section of a message"),
            };
            bool repeats = rank == BodyRank && _lastRank == BodyRank && KindOf(descriptor) == Sections.BodyKind
                && Sections.BodyKind != BodyKind.Value;
            if (rank <= _lastRank && !repeats)
            {
                throw AmqpException.Decode("the sections of a message are out of order");
            }
            _lastRank = rank;
            return rank;
        }

        private static void CheckType(ulong descriptor, byte code)
        {
            AmqpType found = FormatCode.TypeOf(code) ?? AmqpType.Null;
            AmqpType expected = descriptor switch
            {
                HeaderSection.DescriptorCode or MessageProperties.DescriptorCode or Descriptors.AmqpSequence =>
                    AmqpType.List,
                Descriptors.Data => AmqpType.Binary,
                Descriptors.AmqpValue => found,
                _ => AmqpType.Map,
            };
            if (found != expected)
            {
                throw AmqpException.Decode($"section 0x{descriptor:x} is a {found}, not a {expected}");
            }
        }

        private static BodyKind KindOf(ulong descriptor) => descriptor switch
        {
            Descriptors.Data => BodyKind.Data,
            Descriptors.AmqpSequence => BodyKind.Sequence,
            _ => BodyKind.Value,
        };

        private readonly MessageSections With(ulong descriptor, SectionRange range) => descriptor switch
        {
            HeaderSection.DescriptorCode => Sections with { Header = range },
            Descriptors.DeliveryAnnotations => Sections with { DeliveryAnnotations = range },
            Descriptors.MessageAnnotations => Sections with { MessageAnnotations = range },
            MessageProperties.DescriptorCode => Sections with { Properties = range },
            Descriptors.ApplicationProperties => Sections with { ApplicationProperties = range },
            Descriptors.Footer => Sections with { Footer = range },
            _ => Sections with
            {
                Body = Sections.BodySections == 0 ? range : Sections.Body with { End = range.End },
                BodyKind = KindOf(descriptor),
                BodySections = Sections.BodySections + 1,
            },
        };
    }
}

/// <summary>The bytes of a message together with its _sections. Lives as long as the bytes.</summary>
public readonly ref struct MessageView
{
    private readonly MessageSections _sections;

    public MessageView(ReadOnlySpan<byte> message)
        : this(message, MessageSections.Scan(message))
    {
    }

    public MessageView(ReadOnlySpan<byte> message, scoped in MessageSections sections)
    {
        Bytes = message;
        _sections = sections;
    }

    public ReadOnlySpan<byte> Bytes { get; }

    public MessageSections Sections => _sections;

    /// <summary>The header decoded; the defaults when it is absent.</summary>
    public HeaderSection Header
    {
        get
        {
            if (!_sections.Header.IsPresent)
            {
                return default;
            }
            AmqpReader reader = new(_sections.Header.ContentOf(Bytes));
            return HeaderSection.ReadFields(ref reader);
        }
    }

    public MapView DeliveryAnnotations => new(_sections.DeliveryAnnotations.ContentOf(Bytes));

    public MapView MessageAnnotations => new(_sections.MessageAnnotations.ContentOf(Bytes));

    public PropertiesSection Properties => new(_sections.Properties.ContentOf(Bytes));

    public MapView ApplicationProperties => new(_sections.ApplicationProperties.ContentOf(Bytes));

    public MapView Footer => new(_sections.Footer.ContentOf(Bytes));
}
