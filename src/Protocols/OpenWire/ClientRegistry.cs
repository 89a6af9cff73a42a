using System.Collections.Concurrent;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>Who holds a client id: it can be told to go. Any thread.</summary>
internal interface IClientHolder
{
    /// <summary>The user of the connection.</summary>
    string User { get; }

    /// <summary>The connection's own id, which a client keeps when it comes back.</summary>
    string ConnectionId { get; }

    /// <summary>Ends the connection; completes when everything of it is given back.</summary>
    Task GiveUpAsync();
}

/// <summary>
/// One connection a client id (JMS 1.1 section 4.3.2). The same client that comes back takes the id from its old
/// connection; another one is refused. Thread-safe.
/// </summary>
internal sealed class ClientRegistry
{
    private readonly ConcurrentDictionary<(string Space, string ClientId), IClientHolder> _holders = new();

    /// <summary>Null: the id is now the caller's; else who holds it.</summary>
    public IClientHolder? Take(string space, string clientId, IClientHolder holder)
    {
        IClientHolder there = _holders.GetOrAdd((space, clientId), holder);
        return there == holder ? null : there;
    }

    public void Release(string space, string clientId, IClientHolder holder) =>
        _holders.TryRemove(new KeyValuePair<(string, string), IClientHolder>((space, clientId), holder));
}
