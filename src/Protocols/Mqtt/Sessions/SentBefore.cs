using System.Collections.Concurrent;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>
/// Packet identifiers that were sent to clients which are gone and did not answer, so that DUP is set when they are
/// sent again (MQTT 5.0 §3.3.1.1). Not kept over a restart: DUP is for information only. Thread-safe.
/// </summary>
internal sealed class SentBefore
{
    /// <summary>Clients that are remembered.</summary>
    private const int ClientsMax = 65_536;

    private readonly ConcurrentDictionary<ClientKey, HashSet<ushort>> _byClient = new();

    /// <summary>A client has gone.</summary>
    public void Put(ClientKey client, IReadOnlyCollection<ushort> ids)
    {
        if (ids.Count > 0 && _byClient.Count < ClientsMax)
        {
            _byClient[client] = [.. ids];
        }
    }

    /// <summary>It is back; null: nothing is known.</summary>
    public IReadOnlySet<ushort>? Take(ClientKey client) =>
        _byClient.TryRemove(client, out HashSet<ushort>? ids) ? ids : null;
}
