namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>A TCP connection of a service, as the network carries it. One reader and one writer; <see cref="Abort"/>
/// from any thread. Errors: <see cref="IOException"/>, also after the abort.</summary>
public interface IServiceSocket
{
    /// <summary>For people.</summary>
    string RemoteEndPoint { get; }

    /// <summary>Waits for bytes; 0: the other end sends no more. An empty buffer: returns when there are
    /// some.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Sends some; returns how many.</summary>
    ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Nothing more will be sent; what comes in goes on.</summary>
    void EndOutput();

    /// <summary>Ends it at once; <paramref name="isOrderly"/>: all was sent and received.</summary>
    void Abort(bool isOrderly);
}
