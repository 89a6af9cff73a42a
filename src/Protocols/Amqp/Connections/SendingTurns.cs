using Pillarbox.Protocols.Amqp.Links;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>Which links of a connection have deliveries to write, each in its turn, and which need bytes from disk
/// first. Used by the connection's loop alone.</summary>
internal sealed class SendingTurns(ConnectionEndpoint connection)
{
    // Frames that one link may write before the next one has its turn.
    private const int FramesPerTurn = 64;

    private readonly Queue<OutgoingLink> _ready = new();
    private readonly List<OutgoingLink> _blocked = [];
    private readonly Queue<SendingLink> _reads = new();

    /// <summary>Whether a link waits for its turn.</summary>
    public bool Any => _ready.Count > 0;

    /// <summary>A link that needs bytes from disk; the loop starts one read at a time.</summary>
    public bool TryTakeRead(out SendingLink link) => _reads.TryDequeue(out link!);

    public void RequestRead(SendingLink link) => _reads.Enqueue(link);

    /// <summary>Notes that a link may have something to write.</summary>
    public void Enqueue(OutgoingLink link)
    {
        if (!link.IsQueued && link.HasWork)
        {
            link.IsQueued = true;
            _ready.Enqueue(link);
        }
    }

    /// <summary>A session's window or its unsettled bound may have room again.</summary>
    public void OnWindowOpened(AmqpSession session)
    {
        for (int i = _blocked.Count - 1; i >= 0; i--)
        {
            OutgoingLink link = _blocked[i];
            if (link.Session == session)
            {
                _blocked.RemoveAt(i);
                link.IsQueued = false;
                Enqueue(link);
            }
        }
    }

    /// <summary>Writes deliveries while the total of bytes written is below the limit. True: something was
    /// written.</summary>
    public bool Write(long outputLimit)
    {
        bool wrote = false;
        while (connection.State == ConnectionState.Opened && connection.Frames.BytesWritten < outputLimit
            && _ready.TryDequeue(out OutgoingLink? link))
        {
            wrote |= Write(link, outputLimit);
        }

        return wrote;
    }

    private bool Write(OutgoingLink link, long outputLimit)
    {
        link.IsQueued = false;
        FrameWriter frames = connection.Frames;
        bool wrote = false;
        for (int i = 0; i < FramesPerTurn && frames.BytesWritten < outputLimit; i++)
        {
            SendResult result = link.TrySend(frames);
            if (result == SendResult.SessionBlocked)
            {
                link.IsQueued = true;
                _blocked.Add(link);
                return wrote;
            }

            if (result != SendResult.Sent)
            {
                return wrote;
            }

            wrote = true;
        }

        Enqueue(link);
        return wrote;
    }
}
