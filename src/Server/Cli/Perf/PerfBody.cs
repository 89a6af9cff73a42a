using System.Buffers.Binary;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli.Perf;

// The body, which is the end of the encoded message, little-endian:
//
//   0  time of sending, nanoseconds     8  sequence number     16  process     20  sender     24…  zeros

/// <summary>What the messages of a measurement look like.</summary>
internal static class PerfBody
{
    /// <summary>An encoded message whose time and sequence number are to be filled in.</summary>
    public static byte[] Encode(PerfOptions options, int sender)
    {
        byte[] body = new byte[options.BodyBytes];
        Fill(body, sender);
        AmqpMessage message = AmqpMessage.FromData(body);
        return options.Durable
            ? (message with { Header = new HeaderSection { Durable = true } }).ToArray()
            : message.ToArray();
    }

    /// <summary>Writes what all messages of a sender have in common.</summary>
    public static void Fill(Span<byte> body, int sender)
    {
        BinaryPrimitives.WriteInt32LittleEndian(body[16..], Environment.ProcessId);
        BinaryPrimitives.WriteInt32LittleEndian(body[20..], sender);
    }

    /// <summary>Writes what a message has of its own.</summary>
    public static void Stamp(Span<byte> body, long stamp, long sequence)
    {
        BinaryPrimitives.WriteInt64LittleEndian(body, stamp);
        BinaryPrimitives.WriteInt64LittleEndian(body[8..], sequence);
    }

    /// <summary>False for a message that another measurement left behind.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out long stamp, out long sequence, out int sender)
    {
        stamp = BinaryPrimitives.ReadInt64LittleEndian(body);
        sequence = BinaryPrimitives.ReadInt64LittleEndian(body[8..]);
        sender = BinaryPrimitives.ReadInt32LittleEndian(body[20..]);
        return BinaryPrimitives.ReadInt32LittleEndian(body[16..]) == Environment.ProcessId;
    }
}
