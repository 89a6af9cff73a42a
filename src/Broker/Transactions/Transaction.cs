namespace Pillarbox.Broker.Transactions;

/// <summary>
/// A local transaction: publishes and settlements that happen together or not at all. Owned by its connection.
/// Published messages become visible, and settlements take effect, when the commit is on disk.
/// </summary>
public sealed class Transaction
{
    internal Transaction(long id) => Id = id;

    /// <summary>Unique on the connection.</summary>
    public long Id { get; }
}
