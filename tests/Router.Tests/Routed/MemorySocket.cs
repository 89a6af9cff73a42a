using Pillarbox.Protocols.Amqp.Routed.Tcp;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>A socket of a service whose other end is the test; one thread.</summary>
internal sealed class MemorySocket : IServiceSocket
{
    private readonly Queue<byte> _incoming = [];
    private readonly List<byte> _sent = [];
    private TaskCompletionSource<int>? _receive;
    private TaskCompletionSource<int>? _send;
    private Memory<byte> _into;
    private bool _isEnded;

    public string RemoteEndPoint => "memory";

    /// <summary>What came out of the network.</summary>
    public byte[] Sent => [.. _sent];

    /// <summary>Octets that nobody has read.</summary>
    public int Unread => _incoming.Count;

    /// <summary>Whether the other end takes nothing.</summary>
    public bool IsBlocked { get; set; }

    public bool HasOutputEnded { get; private set; }

    /// <summary>Null: open; true: all was sent and received.</summary>
    public bool? EndedOrderly { get; private set; }

    public void Feed(params byte[] octets)
    {
        foreach (byte octet in octets)
        {
            _incoming.Enqueue(octet);
        }

        Complete();
    }

    public void FeedEnd()
    {
        _isEnded = true;
        Complete();
    }

    public void Break() => _receive?.SetException(new IOException("reset"));

    public void Unblock()
    {
        IsBlocked = false;
        TaskCompletionSource<int>? send = _send;
        _send = null;
        send?.SetResult(0);
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        _into = buffer;
        if (_incoming.Count > 0 || _isEnded)
        {
            return ValueTask.FromResult(Take());
        }

        _receive = new TaskCompletionSource<int>();
        return new ValueTask<int>(_receive.Task);
    }

    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (IsBlocked)
        {
            _send = new TaskCompletionSource<int>();
            return new ValueTask<int>(_send.Task);
        }

        _sent.AddRange(bytes.Span);
        return ValueTask.FromResult(bytes.Length);
    }

    public void EndOutput() => HasOutputEnded = true;

    public void Abort(bool isOrderly) => EndedOrderly ??= isOrderly;

    private void Complete()
    {
        TaskCompletionSource<int>? receive = _receive;
        if (receive is not null)
        {
            _receive = null;
            receive.SetResult(Take());
        }
    }

    private int Take()
    {
        int count = Math.Min(_into.Length, _incoming.Count);
        for (int i = 0; i < count; i++)
        {
            _into.Span[i] = _incoming.Dequeue();
        }

        return count;
    }
}
