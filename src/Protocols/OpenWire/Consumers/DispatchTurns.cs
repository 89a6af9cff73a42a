using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Consumers;

/// <summary>Which consumers of a connection have something to write, each in its turn, and which need bytes from disk
/// first. Used by the connection's loop alone.</summary>
internal sealed class DispatchTurns(BrokerClient client, Dispatches dispatches, CommandOutput output)
{
    // Messages that one consumer may write before the next one has its turn.
    private const int MessagesPerTurn = 64;

    private readonly Queue<ConsumerEndpoint> _ready = new();
    private readonly Queue<ConsumerEndpoint> _reads = new();

    /// <summary>Whether a consumer waits for its turn.</summary>
    public bool Any => _ready.Count > 0;

    /// <summary>A consumer that needs bytes from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out ConsumerEndpoint? consumer) => _reads.TryDequeue(out consumer);

    /// <summary>Notes that a consumer may have something to write.</summary>
    public void Enqueue(ConsumerEndpoint endpoint)
    {
        if (!endpoint.IsQueued && endpoint.HasWork)
        {
            endpoint.IsQueued = true;
            _ready.Enqueue(endpoint);
        }
    }

    /// <summary>Writes while the total of bytes written is below the limit. True: something was written.</summary>
    public bool Write(long outputLimit)
    {
        bool wrote = false;
        while (output.BytesWritten < outputLimit && _ready.TryDequeue(out ConsumerEndpoint? endpoint))
        {
            endpoint.IsQueued = false;
            for (int i = 0; i < MessagesPerTurn && endpoint.HasWork && output.BytesWritten < outputLimit; i++)
            {
                wrote |= WriteOne(endpoint);
            }

            Enqueue(endpoint);
        }

        return wrote;
    }

    /// <summary>A read has ended. <paramref name="body"/>: that of a file, read into memory.</summary>
    public void OnRead(ConsumerEndpoint endpoint, in MessageLease lease, byte[]? body)
    {
        endpoint.IsReading = false;
        if (!endpoint.IsClosed)
        {
            dispatches.Send(endpoint, lease, body);
            Enqueue(endpoint);
        }
        else
        {
            // The file of a body that is in memory was let go with its read.
            (body is null ? lease.Large : null)?.Dispose();
            lease.Dispose();
        }
    }

    /// <summary>It has failed: the message is damaged, or cannot be had in this protocol.</summary>
    public void OnReadFailed(ConsumerEndpoint endpoint, string reason, bool isDamaged)
    {
        endpoint.IsReading = false;
        if (!endpoint.IsClosed)
        {
            dispatches.GiveUp(endpoint, reason, isDamaged);
            Enqueue(endpoint);
        }
    }

    private bool WriteOne(ConsumerEndpoint endpoint)
    {
        if (endpoint.TryTakeAdvisory(out Message? advisory))
        {
            dispatches.SendAdvisory(endpoint, advisory!);
            return true;
        }

        if (endpoint.PendingCount == 0)
        {
            dispatches.SendEnd(endpoint);
            return true;
        }

        try
        {
            if (!client.TryRead(endpoint.NextDelivery, out MessageLease lease) || lease.Large is not null)
            {
                // A body in a file is read by the loop, too.
                lease.Large?.Dispose();
                lease.Dispose();
                endpoint.IsReading = true;
                _reads.Enqueue(endpoint);
                return false;
            }

            dispatches.Send(endpoint, lease, null);
        }
        catch (ConversionException refusal)
        {
            dispatches.GiveUp(endpoint, refusal.Message, isDamaged: false);
        }

        return true;
    }
}
