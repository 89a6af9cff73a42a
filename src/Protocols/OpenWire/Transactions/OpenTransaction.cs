using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.OpenWire.Consumers;

namespace Pillarbox.Protocols.OpenWire.Transactions;

/// <summary>A transaction that the client has begun.</summary>
internal sealed class OpenTransaction(Transaction transaction)
{
    /// <summary>The broker's side of it.</summary>
    public Transaction Transaction { get; } = transaction;

    /// <summary>It is a branch that is prepared, or about to be: nothing more goes into it.</summary>
    public bool IsPrepared { get; set; }

    /// <summary>Consumers with acknowledgements in it.</summary>
    public HashSet<ConsumerEndpoint> Consumers { get; } = [];

    /// <summary>It has ended: acknowledgements in it are done, or are as if they had not been.</summary>
    public void End(bool isCommitted)
    {
        foreach (ConsumerEndpoint consumer in Consumers)
        {
            consumer.Unacked.EndTransaction(this, isCommitted);
        }
    }
}
