using System.Collections.Concurrent;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>A client as all connections of the node know it.</summary>
internal readonly record struct ClientKey(string AddressSpace, string ClientId);

/// <summary>A connection that a new one of the same client takes over (MQTT 5.0 §3.1.4).</summary>
internal interface ITakeOver
{
    /// <summary>The user that it belongs to.</summary>
    string User { get; }

    /// <summary>Ends it; completes when its session is free. Any thread.</summary>
    Task GiveWayAsync();
}

/// <summary>Which client is connected where. Thread-safe.</summary>
internal sealed class ClientRegistry
{
    private readonly ConcurrentDictionary<ClientKey, ITakeOver> _clients = new();

    /// <summary>Clients now.</summary>
    public int Count => _clients.Count;

    /// <summary>Enters it, or says who has to give way first.</summary>
    public ITakeOver? Enter(ClientKey key, ITakeOver connection)
    {
        ITakeOver there = _clients.GetOrAdd(key, connection);
        return ReferenceEquals(there, connection) ? null : there;
    }

    /// <summary>It is gone.</summary>
    public void Leave(ClientKey key, ITakeOver connection) =>
        _clients.TryRemove(new KeyValuePair<ClientKey, ITakeOver>(key, connection));
}
