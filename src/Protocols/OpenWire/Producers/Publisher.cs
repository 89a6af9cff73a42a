using System.Buffers;
using Pillarbox.Broker;

namespace Pillarbox.Protocols.OpenWire.Producers;

/// <summary>Messages on their way into the broker, large ones by way of a file. Used by the connection's loop alone.
/// </summary>
internal sealed class Publisher(
    BrokerClient client, ProducerTable producers, OpenWireMessageMap map, InputHold hold, OpenWireOptions options)
{
    /// <summary>The broker tells the end of every send with this tag; which one it is, the order says.</summary>
    public const ulong Tag = 1;

    private readonly Queue<LargeSend> _large = new();

    private sealed record LargeSend(LargePublish Publish, Outgoing Send);

    /// <summary>The broker gets it; its end is told with <see cref="Tag"/>. False: it is refused at once.</summary>
    public bool Publish(in Outgoing send)
    {
        Outlet outlet = send.Outlet;
        ReadOnlyMemory<byte> payload = map.ToPayload(
            send.Message, send.Relayed?.Destination ?? send.Message.Destination!);
        producers.Spend(outlet);
        if (send.Relayed is not null)
        {
            outlet.Producer.RelayRoutingType = send.Relayed.RoutingType;
        }

        if (payload.Length >= options.LargeMessageBytesMin)
        {
            PublishLarge(send, payload);
            return true;
        }

        send.Number();
        BrokerException? refusal = client.Publish(
            outlet.Producer, send.Header, new ReadOnlySequence<byte>(payload), Tag, send.To,
            send.Transaction?.Transaction);
        send.Transaction?.Transaction.Fail(refusal);
        return refusal is null;
    }

    // Its bytes are on their way to a file; nothing further is read until they are there.
    private void PublishLarge(in Outgoing send, ReadOnlyMemory<byte> payload)
    {
        LargePublish large = client.BeginLarge(send.Outlet.Producer);
        large.Append(new ReadOnlySequence<byte>(payload));
        _large.Enqueue(new LargeSend(large, send));
        FinishLarge();
    }

    private void FinishLarge()
    {
        while (_large.TryPeek(out LargeSend? large))
        {
            if (!large.Publish.Finish())
            {
                hold.Until(large.Publish.ReadyAsync(CancellationToken.None).AsTask(), FinishLarge);
                return;
            }

            _large.Dequeue();
            Outgoing send = large.Send;
            if (producers.IsRelay(send.Outlet))
            {
                send.Outlet.Producer.RelayRoutingType = send.Relayed?.RoutingType;
            }

            send.Number();
            BrokerException? refusal = large.Publish.Complete(
                send.Header, Tag, send.To, send.Transaction?.Transaction);
            send.Transaction?.Transaction.Fail(refusal);
        }
    }
}
