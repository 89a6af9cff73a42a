namespace Pillarbox.Broker.Streams.Groups;

/// <summary>What the members of one group take of memory: names, metadata, assignments. One owner: the loop.</summary>
internal sealed class MembersWeight
{
    /// <summary>Bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Something came, or went when it is negative.</summary>
    public void Add(long bytes) => Bytes += bytes;
}

/// <summary>What one member takes of memory; counts in its group's weight while it is in one. One owner: the
/// loop.</summary>
internal sealed class MemberWeight
{
    /// <summary>What a member takes, whatever it is called and brings along.</summary>
    public const int MemberBytes = 512;

    // An object with its length, and the reference to it.
    private const int ObjectBytes = 32;

    private MembersWeight? _group;
    private long _bytes;

    /// <summary>The member weighs so much now.</summary>
    public void Set(long bytes)
    {
        _group?.Add(bytes - _bytes);
        _bytes = bytes;
    }

    /// <summary>The member is in a group.</summary>
    public void Enter(MembersWeight group)
    {
        Leave();
        _group = group;
        group.Add(_bytes);
    }

    /// <summary>The member is in no group any more.</summary>
    public void Leave()
    {
        _group?.Add(-_bytes);
        _group = null;
    }

    public static long Of(string? text) => text is null ? 0 : ObjectBytes + (2L * text.Length);

    public static long Of(byte[] bytes) => bytes.Length == 0 ? 0 : ObjectBytes + bytes.Length;

    public static long Of(IReadOnlyList<string> texts)
    {
        long bytes = 0;
        foreach (string text in texts)
        {
            bytes += Of(text);
        }

        return bytes;
    }

    public static long Of(IReadOnlyList<MemberProtocol> protocols)
    {
        long bytes = 0;
        foreach (MemberProtocol protocol in protocols)
        {
            bytes += Of(protocol.Name) + Of(protocol.Metadata);
        }

        return bytes;
    }

    /// <summary>Names that a member has for as long as it is there.</summary>
    public static long OfNames(string id, string? instanceId, in GroupClient client) =>
        MemberBytes + Of(id) + Of(instanceId) + Of(client.ClientId) + Of(client.Host);
}
