using System.Globalization;
using System.Text;

namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>
/// Command and headers of a frame, as they came: lines, each a name, a colon and a value (1.2, "Augmented BNF"). A
/// view; nothing is decoded. Of headers that are repeated the first counts (1.2, "Repeated Header Entries"). Blanks
/// around names and values belong to them since 1.1; 1.0's own examples have them for the eye.
/// </summary>
internal readonly ref struct FrameHead
{
    private readonly ReadOnlySpan<byte> _headers;
    private readonly StompVersion _version;

    /// <summary>Views a head that ends with its last header's end of line.</summary>
    /// <param name="head">From the command on.</param>
    /// <param name="version">Whose rules count; before it is agreed, 1.2's ends of line do.</param>
    public FrameHead(ReadOnlySpan<byte> head, StompVersion version)
    {
        _version = version;
        int end = head.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = CutCr(head[..end], cuts: true);
        Command = StompCommands.Parse(line);
        CommandText = line;
        _headers = head[(end + 1)..];
    }

    /// <summary>What the frame is.</summary>
    public StompCommand Command { get; }

    /// <summary>The first line.</summary>
    public ReadOnlySpan<byte> CommandText { get; }

    /// <summary>Goes through the headers.</summary>
    public Enumerator GetEnumerator() => new(_headers, _version);

    /// <summary>The first value of a header, as it came; false: there is none.</summary>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (Header header in this)
        {
            if (header.Name.SequenceEqual(name))
            {
                value = header.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>The first value of a header as text; null: there is none.</summary>
    public string? Text(ReadOnlySpan<byte> name, StompVersion version) =>
        TryGet(name, out ReadOnlySpan<byte> value) ? HeaderText.Decode(value, version) : null;

    /// <summary>The same of a header that must be there.</summary>
    /// <exception cref="StompException">It is not.</exception>
    public string Required(ReadOnlySpan<byte> name, StompVersion version) =>
        Text(name, version) ?? throw new StompException($"the frame has no '{Encoding.ASCII.GetString(name)}' header");

    /// <summary>Whether a header says so.</summary>
    public bool IsTrue(ReadOnlySpan<byte> name, StompVersion version) => Text(name, version) == "true";

    /// <summary>The number of a header, as an int; null: there is none.</summary>
    /// <exception cref="StompException">It is no number.</exception>
    public long? NumberOf(ReadOnlySpan<byte> name, StompVersion version) =>
        Text(name, version) is not { } text ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
            ? Math.Clamp(number, int.MinValue, int.MaxValue)
            : throw new StompException($"'{Encoding.ASCII.GetString(name)}' is no number");

    private static ReadOnlySpan<byte> CutCr(ReadOnlySpan<byte> line, bool cuts) =>
        cuts && line.EndsWith("\r"u8) ? line[..^1] : line;

    /// <summary>One header.</summary>
    public readonly ref struct Header(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        public ReadOnlySpan<byte> Name { get; } = name;

        public ReadOnlySpan<byte> Value { get; } = value;
    }

    /// <summary>Goes through the headers; throws at a line without a colon, or without a name.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> headers, StompVersion version)
    {
        private ReadOnlySpan<byte> _rest = headers;
        private ReadOnlySpan<byte> _line;
        private int _colon;

        public readonly Header Current => version == StompVersion.V10
            ? new(_line[.._colon].Trim((byte)' '), _line[(_colon + 1)..].Trim((byte)' '))
            : new(_line[.._colon], _line[(_colon + 1)..]);

        public bool MoveNext()
        {
            int end = _rest.IndexOf((byte)'\n');
            if (end < 0)
            {
                return false;
            }

            _line = CutCr(_rest[..end], version == StompVersion.V12);
            _rest = _rest[(end + 1)..];
            _colon = _line.IndexOf((byte)':');
            if (_colon <= 0)
            {
                throw new StompException(_colon < 0 ? "a header line has no colon" : "a header line has no name");
            }

            return true;
        }
    }
}
