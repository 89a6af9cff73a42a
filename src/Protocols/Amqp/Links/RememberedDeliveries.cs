using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>A delivery-tag as a value: at most 32 bytes (part 2 section 2.8.7).</summary>
internal readonly record struct TagValue(ulong A, ulong B, ulong C, ulong D, byte Length)
{
    /// <summary>Copies a tag of at most 32 bytes.</summary>
    public static TagValue Of(ReadOnlySpan<byte> tag)
    {
        Span<byte> bytes = stackalloc byte[Transfer.DeliveryTagBytesMax];
        bytes.Clear();
        tag.CopyTo(bytes);
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        return new TagValue(words[0], words[1], words[2], words[3], (byte)tag.Length);
    }

    /// <summary>The bytes of the tag.</summary>
    public byte[] ToArray()
    {
        ReadOnlySpan<ulong> words = [A, B, C, D];
        return MemoryMarshal.AsBytes(words)[..Length].ToArray();
    }
}

/// <summary>What is known of a delivery that was taken and is on disk.</summary>
/// <param name="IsUnsettled">The sender settles it (rcv-settle-mode second), and has not done so yet.</param>
/// <param name="Bytes">Bytes of the message.</param>
/// <param name="Hash">A hash of them, of this process only.</param>
internal readonly record struct TakenDelivery(bool IsUnsettled, long Bytes, int Hash)
{
    /// <summary>Describes a message that was not in memory as a whole: no other message is like it.</summary>
    public static readonly TakenDelivery OfLarge = new(false, -1, 0);

    /// <summary>Describes a message that is in memory.</summary>
    public static TakenDelivery Of(ReadOnlySpan<byte> message)
    {
        HashCode hash = default;
        hash.AddBytes(message);
        return new TakenDelivery(false, message.Length, hash.ToHashCode());
    }
}

/// <summary>
/// The deliveries of one link that were taken, and that its sender may hold for unsettled when it attaches again
/// (part 2 section 2.6.13). The oldest are forgotten. Any thread: a link that was detached may still hear that a
/// message is on disk.
/// </summary>
/// <param name="capacity">How many are remembered.</param>
internal sealed class RememberedDeliveries(int capacity)
{
    // The number tells a tag that was used again from its former use, which may still stand in the order.
    private readonly ConcurrentDictionary<TagValue, (TakenDelivery Taken, long Number)> _taken = new();
    private readonly ConcurrentQueue<(TagValue Tag, long Number)> _order = new();
    private long _number;

    /// <summary>When the link ended, by the steady clock; 0: it is attached.</summary>
    public long EndedAtMs { get; set; }

    /// <summary>How many are remembered.</summary>
    public int Count => _taken.Count;

    /// <summary>A delivery is on disk.</summary>
    public void Add(TagValue tag, TakenDelivery taken)
    {
        long number = Interlocked.Increment(ref _number);
        _taken[tag] = (taken, number);
        _order.Enqueue((tag, number));
        while (_order.Count > capacity && _order.TryDequeue(out (TagValue Tag, long Number) oldest))
        {
            if (_taken.TryGetValue(oldest.Tag, out (TakenDelivery Taken, long Number) last)
                && last.Number == oldest.Number)
            {
                _taken.TryRemove(KeyValuePair.Create(oldest.Tag, last));
            }
        }
    }

    /// <summary>What is known of a tag.</summary>
    public bool TryGet(TagValue tag, out TakenDelivery taken)
    {
        bool isKnown = _taken.TryGetValue(tag, out (TakenDelivery Taken, long Number) last);
        taken = last.Taken;
        return isKnown;
    }

    /// <summary>The sender has settled the delivery, or uses its tag for another one.</summary>
    public void Forget(TagValue tag) => _taken.TryRemove(tag, out _);

    /// <summary>
    /// The sender attached with its unsettled deliveries: what it does not name it has settled, unless the map is
    /// incomplete.
    /// </summary>
    public void Keep(AmqpMap? unsettled, bool isIncomplete)
    {
        if (isIncomplete)
        {
            return;
        }

        HashSet<TagValue> named = [.. Tags(unsettled)];
        foreach ((TagValue tag, _) in _taken)
        {
            if (!named.Contains(tag))
            {
                _taken.TryRemove(tag, out _);
            }
        }
    }

    /// <summary>The node's answer to that: what is accepted and waits for the sender to settle.</summary>
    /// <param name="unsettled">What the sender named.</param>
    /// <param name="bytesMax">Room for it in the frame.</param>
    /// <param name="isIncomplete">Whether there was not room for all.</param>
    public AmqpMap Answer(AmqpMap? unsettled, int bytesMax, out bool isIncomplete)
    {
        const int EntryBytesMax = Transfer.DeliveryTagBytesMax + 8;
        var accepted = AmqpValue.Described(Accepted.DescriptorCode, AmqpValue.List());
        var answer = new AmqpMap();
        isIncomplete = false;
        foreach (TagValue tag in Tags(unsettled))
        {
            if (!TryGet(tag, out TakenDelivery taken) || !taken.IsUnsettled)
            {
                continue;
            }

            if ((answer.Count + 1) * EntryBytesMax > bytesMax)
            {
                isIncomplete = true;
                break;
            }

            answer.Add(AmqpValue.Binary(tag.ToArray()), accepted);
        }

        return answer;
    }

    private static IEnumerable<TagValue> Tags(AmqpMap? unsettled) => (unsettled ?? [])
        .Select(entry => entry.Key)
        .Where(key => key.Type == AmqpType.Binary && key.AsBinary().Length <= Transfer.DeliveryTagBytesMax)
        .Select(key => TagValue.Of(key.AsBinary()));
}
