using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>A message that was not in memory, read whole.</summary>
internal sealed record LoadedMessage(
    MessageHeader Header, ulong Publisher, ReadOnlyMemory<byte> Address, ReadOnlyMemory<byte> Payload)
{
    public static async Task<LoadedMessage> ReadAsync(
        BrokerClient client, Delivery delivery, CancellationToken cancellation)
    {
        using MessageLease lease = await client.ReadAsync(delivery, cancellation);
        byte[] address = lease.Address.ToArray();
        if (lease.Large is not { } large)
        {
            return new LoadedMessage(lease.Header, lease.Publisher, address, lease.Payload.ToArray());
        }

        using (large)
        {
            byte[] body = new byte[large.Length];
            int at = 0;
            int read;
            while (at < body.Length
                && (read = await large.ReadAsync(at, body.AsMemory(at), cancellation)) > 0)
            {
                at += read;
            }

            return new LoadedMessage(lease.Header, lease.Publisher, address, body.AsMemory(0, at));
        }
    }
}
