namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>What went through one entrance or exit of a TCP service. Any thread.</summary>
public sealed class TcpTally
{
    private long _opened;
    private long _closed;
    private long _received;
    private long _sent;

    /// <summary>Connections that have begun.</summary>
    public long Opened => Volatile.Read(ref _opened);

    /// <summary>Connections that have ended.</summary>
    public long Closed => Volatile.Read(ref _closed);

    /// <summary>Bytes that came from their sockets.</summary>
    public long ReceivedBytes => Volatile.Read(ref _received);

    /// <summary>Bytes that went to their sockets.</summary>
    public long SentBytes => Volatile.Read(ref _sent);

    internal void OnOpened() => Interlocked.Increment(ref _opened);

    internal void OnClosed() => Interlocked.Increment(ref _closed);

    internal void OnReceived(int bytes) => Interlocked.Add(ref _received, bytes);

    internal void OnSent(int bytes) => Interlocked.Add(ref _sent, bytes);
}
