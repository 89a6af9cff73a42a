namespace Pillarbox.Model;

/// <summary>
/// The group of a message, as the broker keeps it: a hash of its id, and whether the message is the group's last.
/// Messages of one group go to one consumer at a time. Groups whose hashes are equal are one group. Written to disk, so
/// the hash never changes.
/// </summary>
/// <param name="Code">31 bits of hash, then the bit of the last message; 0: the message is in no group.</param>
public readonly record struct MessageGroup(uint Code)
{
    private const uint Offset = 2166136261;
    private const uint Prime = 16777619;
    private const uint LastBit = 1;
    private const uint KeyOfZero = 2;

    /// <summary>Whether the message is in no group.</summary>
    public bool IsNone => Code == 0;

    /// <summary>Whether the group ends with the message: what comes behind it may go to another consumer.</summary>
    public bool IsLast => (Code & LastBit) != 0;

    /// <summary>The group alone: equal for all of its messages; 0: none.</summary>
    public uint Key => Code & ~LastBit;

    /// <summary>The group of an id; none when the id is empty.</summary>
    /// <param name="id">The id's bytes as the protocol has them (UTF-8).</param>
    /// <param name="isLast">Whether the message closes the group (<c>JMSXGroupSeq</c> of -1).</param>
    public static MessageGroup Of(ReadOnlySpan<byte> id, bool isLast = false)
    {
        if (id.IsEmpty)
        {
            return default;
        }

        uint hash = Offset;
        foreach (byte one in id)
        {
            hash = (hash ^ one) * Prime;
        }

        uint key = (hash ^ (hash >> 16)) << 1;
        return new MessageGroup((key == 0 ? KeyOfZero : key) | (isLast ? LastBit : 0));
    }
}
