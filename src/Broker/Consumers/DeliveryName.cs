using System.Buffers.Binary;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// Says which message a delivery brought, in words that hold over connections and, for durable messages, over restarts:
/// a consumer that comes back can name what it has. Nothing is remembered for it on the node.
/// </summary>
/// <param name="Incarnation">The data directory (durable), or the run of the node (not durable).</param>
/// <param name="MessageId">The message, unique in that.</param>
/// <param name="Sequence">Where it was in its queue: a hint, good for one run.</param>
/// <param name="RecordBytes">The length of its record.</param>
/// <param name="DeliveryCount">Failed attempts before the delivery.</param>
/// <param name="Priority">The list it was in.</param>
public readonly record struct DeliveryName(
    long Incarnation, long MessageId, long Sequence, int RecordBytes, ushort DeliveryCount, byte Priority)
{
    /// <summary>Bytes of a name.</summary>
    public const int Bytes = 31;

    /// <summary>Writes the name into the first <see cref="Bytes"/> bytes.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, Incarnation);
        BinaryPrimitives.WriteInt64BigEndian(to[8..], MessageId);
        BinaryPrimitives.WriteInt64BigEndian(to[16..], Sequence);
        BinaryPrimitives.WriteInt32BigEndian(to[24..], RecordBytes);
        BinaryPrimitives.WriteUInt16BigEndian(to[28..], DeliveryCount);
        to[30] = Priority;
    }

    /// <summary>Reads a name; false when the bytes are none.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out DeliveryName name)
    {
        name = default;
        if (from.Length != Bytes)
        {
            return false;
        }

        name = new DeliveryName(
            BinaryPrimitives.ReadInt64BigEndian(from), BinaryPrimitives.ReadInt64BigEndian(from[8..]),
            BinaryPrimitives.ReadInt64BigEndian(from[16..]), BinaryPrimitives.ReadInt32BigEndian(from[24..]),
            BinaryPrimitives.ReadUInt16BigEndian(from[28..]), from[30]);
        return name.Priority < Queues.Queue.Priorities;
    }
}
