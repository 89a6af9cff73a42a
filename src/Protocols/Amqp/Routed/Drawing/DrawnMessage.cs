using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Amqp.Routed.Drawing;

/// <summary>A message of the broker on its way through the network.</summary>
internal sealed class DrawnDelivery : RoutedDelivery
{
    public Delivery Drawn { get; set; }

    /// <summary>What a receiver that settles second has said.</summary>
    public byte[]? EarlyOutcome { get; set; }

    /// <summary>What brings the rest of it; null: it is whole.</summary>
    public BrokerDownload? Download { get; set; }
}

/// <summary>A message of the broker, or its beginning.</summary>
/// <param name="Bytes">From its header on.</param>
/// <param name="Rest">The body's file, when there is more; whoever has the message disposes it.</param>
/// <param name="RestOffset">Where in the file the rest begins.</param>
internal sealed record DrawnMessage(byte[] Bytes, LargeBody? Rest, long RestOffset)
{
    /// <summary>Bytes of the beginning of a body in a file: the sections that routers look at are in them.</summary>
    public const int StartBytesMax = 2 * BrokerDownload.PieceBytes;

    /// <summary>The message when it is in memory; null: it comes from disk.</summary>
    public static DrawnMessage? TryRead(BrokerPort port, in Delivery delivery)
    {
        if (!port.Client.TryRead(delivery, out MessageLease lease))
        {
            return null;
        }

        using MessageLease taken = lease;
        if (taken.Large is { } large)
        {
            large.Dispose();
            return null;
        }

        return Whole(port, delivery, taken);
    }

    /// <summary>The same from disk. Errors: damage, and what cannot be had as AMQP, as thrown by the broker.</summary>
    public static async Task<DrawnMessage> ReadAsync(BrokerPort port, Delivery delivery)
    {
        using MessageLease lease = await port.Client.ReadAsync(delivery, CancellationToken.None);
        if (lease.Large is not { } large)
        {
            return Whole(port, delivery, lease);
        }

        try
        {
            byte[] head = HeaderOf(port, delivery, lease);
            byte[] start = new byte[head.Length + (int)Math.Min(large.Length, StartBytesMax)];
            head.CopyTo(start, 0);
            int at = head.Length;
            while (at < start.Length)
            {
                int read = await large.ReadAsync(at - head.Length, start.AsMemory(at), CancellationToken.None);
                if (read == 0)
                {
                    throw new EndOfStreamException("the body's file is shorter than the message");
                }

                at += read;
            }

            long taken = at - head.Length;
            if (taken < large.Length)
            {
                return new DrawnMessage(start, large, taken);
            }

            large.Dispose();
            return new DrawnMessage(start, null, 0);
        }
        catch
        {
            large.Dispose();
            throw;
        }
    }

    private static DrawnMessage Whole(BrokerPort port, in Delivery delivery, in MessageLease lease) =>
        new([.. HeaderOf(port, delivery, lease), .. lease.Payload.Span], null, 0);

    private static byte[] HeaderOf(BrokerPort port, in Delivery delivery, in MessageLease lease)
    {
        Span<byte> header = stackalloc byte[AmqpMessageMap.HeaderBytesMax];
        int bytes = AmqpMessageMap.WriteHeader(header, lease.Header, delivery.DeliveryCount, port.NowMs);
        return header[..bytes].ToArray();
    }
}
