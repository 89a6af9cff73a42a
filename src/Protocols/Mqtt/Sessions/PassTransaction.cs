using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>What waits for the end of a transaction.</summary>
internal sealed class PassParts
{
    /// <summary>The identifiers of messages from the client.</summary>
    public List<ushort> Incoming { get; } = [];

    /// <summary>Messages of shared subscriptions become the client's own by it.</summary>
    public bool TakesOver { get; set; }
}

/// <summary>
/// The transaction of a pass: all that has to be on disk together with its messages, such as the packet identifiers of
/// QoS 2. A message that would fill one begins another. Owned by the connection.
/// </summary>
internal sealed class PassTransaction(BrokerClient client)
{
    private const int BytesMax = 1 << 20;

    private Transaction? _transaction;
    private PassParts? _parts;
    private Dictionary<ulong, PassParts>? _discharging;
    private ulong _lastDischarge;

    /// <summary>Whether something waits for its end.</summary>
    public bool IsOpen => _transaction is not null;

    /// <summary>One that has room for so many bytes, begun if there is none.</summary>
    public Transaction Take(int bytes)
    {
        long most = Math.Min(BytesMax, client.TransactionBytesMax / 2);
        if (_transaction is not null && _transaction.Bytes + bytes > most)
        {
            End();
        }

        _parts ??= new PassParts();
        return _transaction ??= client.Begin();
    }

    /// <summary>A message from the client, and its packet identifier, are in it.</summary>
    public void AddIncoming(ushort packetId) => _parts!.Incoming.Add(packetId);

    /// <summary>A message of a shared subscription becomes the client's own by it.</summary>
    public void AddTakeOver() => _parts!.TakesOver = true;

    /// <summary>Commits it, if there is one.</summary>
    public void End()
    {
        if (_transaction is null)
        {
            return;
        }

        (_discharging ??= []).Add(++_lastDischarge, _parts!);
        client.Discharge(_transaction, fail: false, _lastDischarge);
        _transaction = null;
        _parts = null;
    }

    /// <summary>The broker tells the end of one: what was in it; null: it is none of these.</summary>
    public PassParts? TakeDischarged(ulong tag) =>
        _discharging?.Remove(tag, out PassParts? parts) == true ? parts : null;
}
