namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// Bounds what the members of groups make the coordinator keep: <see cref="GroupOptions.GroupBytesMax"/> for one group,
/// <see cref="GroupOptions.MembersBytesMax"/> for all. What is read back at a start counts and is not refused. One
/// owner: the loop.
/// </summary>
internal sealed class GroupMemory(GroupOptions options)
{
    private long _bytes;

    /// <summary>A group may have grown or shrunk.</summary>
    public void Count(Group group)
    {
        _bytes += group.MemberBytes - group.CountedBytes;
        group.CountedBytes = group.MemberBytes;
    }

    /// <summary>A group is no more.</summary>
    public void Forget(Group group)
    {
        _bytes -= group.CountedBytes;
        group.CountedBytes = 0;
    }

    /// <summary>Whether another group has room.</summary>
    public bool HasRoom(string groupId) => _bytes + MemberWeight.Of(groupId) <= options.MembersBytesMax;

    /// <summary>Whether a group may grow by so many bytes; always when it does not grow.</summary>
    public bool HasRoom(Group group, long more)
    {
        Count(group);
        return more <= 0
            || (group.MemberBytes + more <= options.GroupBytesMax && _bytes + more <= options.MembersBytesMax);
    }
}
