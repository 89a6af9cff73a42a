namespace Pillarbox.Protocols.Stomp;

/// <summary>Goes through the header lines of a kept payload; names and values in canonical form.</summary>
internal ref struct KeptLines
{
    private ReadOnlySpan<byte> _rest;

    public KeptLines(ReadOnlySpan<byte> payload)
    {
        int bodyAt = StompMessageMap.BodyAt(payload);
        _rest = bodyAt < 0 ? default : payload[1..(bodyAt - 1)];
    }

    public ReadOnlySpan<byte> Name { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool MoveNext()
    {
        int end = _rest.IndexOf((byte)'\n');
        if (end < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> line = _rest[..end];
        _rest = _rest[(end + 1)..];
        int colon = line.IndexOf((byte)':');
        Name = colon < 0 ? line : line[..colon];
        Value = colon < 0 ? default : line[(colon + 1)..];
        return true;
    }
}
