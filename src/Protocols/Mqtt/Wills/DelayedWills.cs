using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Wills;

/// <summary>A will of a client that is gone.</summary>
/// <param name="Client">Who published it.</param>
/// <param name="Will">What is published.</param>
/// <param name="DueMs">When, in milliseconds since the Unix epoch.</param>
internal sealed record DueWill(ClientInfo Client, WillMessage Will, long DueMs)
{
    /// <summary>How often the disk did not take it when it was due.</summary>
    public int Attempts { get; init; }
}

/// <summary>
/// Wills whose delay runs while their client is gone (MQTT 5.0 §3.1.3.2.2): it comes back and takes its will, or the
/// will is published, once, whatever happens to the node. Kept over a restart. Thread-safe.
/// </summary>
internal sealed class DelayedWills(MessageBroker broker, MqttOptions options, ILogger logger)
{
    private const int StepsPerLook = 10_000;
    private const int AttemptsMax = 6;
    private const long RetryMs = 10_000;

    private readonly ConcurrentDictionary<ClientKey, DueWill> _wills = new();
    private readonly ConcurrentDictionary<string, Task> _loading = new(StringComparer.Ordinal);

    /// <summary>Where those of an address space are on disk.</summary>
    public Func<string, RetainedStore> StoreOf { get; set; } = null!;

    /// <summary>The retained messages of an address space.</summary>
    public Func<string, RetainedStore> RetainedOf { get; set; } = null!;

    /// <summary>What the disk has of an address space begins to come back; the time of some may be over.</summary>
    public void Load(string addressSpace) => _loading[addressSpace] = LoadAsync(addressSpace);

    /// <summary>What comes back still: who connects waits for it; null: nothing does.</summary>
    public Task? LoadingOf(string addressSpace) =>
        _loading.TryGetValue(addressSpace, out Task? loading) && !loading.IsCompleted ? loading : null;

    private async Task LoadAsync(string addressSpace)
    {
        RetainedStore store = StoreOf(addressSpace);
        await store.Loaded.ConfigureAwait(continueOnCapturedContext: !broker.OwnThreads);
        RetainedTree.Cursor kept = store.Match("#"u8);
        int steps = StepsPerLook;
        while (!kept.AtEnd)
        {
            steps = steps > 0 ? steps : StepsPerLook;
            if (kept.Next(ref steps) is { } message && StoredWill.TryRead(message, addressSpace, out DueWill? will))
            {
                _wills.TryAdd(new ClientKey(addressSpace, will.Client.ClientId), will);
            }
        }
    }

    /// <summary>Keeps a will until its time; false: there are too many, or there is no place for it.</summary>
    public bool Put(ClientKey client, DueWill will)
    {
        if (_wills.Count >= options.DelayedWillsMax || StoreIn(client.AddressSpace, StoreOf) is not { } store)
        {
            return false;
        }

        _wills[client] = will;
        store.Set(StoredWill.For(client.ClientId, will), null, 0);
        return true;
    }

    /// <summary>The client is back, and its session goes on: its will does not come. It is gone from the disk when the
    /// task completes: until then a crash could bring it again. Null: there is none.</summary>
    public Task? Discard(ClientKey client)
    {
        if (!_wills.TryRemove(client, out _))
        {
            return null;
        }

        var removal = new Removal();
        if (StoreIn(client.AddressSpace, StoreOf) is { } store)
        {
            store.Set(StoredWill.For(client.ClientId, null), removal, 0);
        }
        else
        {
            removal.OnRetained(0, null);
        }

        return removal.Task;
    }

    /// <summary>The session has ended: its will comes now. The task completes when that is on disk. Null: there is
    /// none.</summary>
    public Task? Publish(ClientKey client, long nowMs) =>
        _wills.TryRemove(client, out DueWill? will) ? Publish(client, will, nowMs) : null;

    /// <summary>Publishes what is due.</summary>
    public void Tick(long nowMs)
    {
        foreach ((ClientKey client, DueWill will) in _wills)
        {
            if (nowMs >= will.DueMs && _wills.TryRemove(new KeyValuePair<ClientKey, DueWill>(client, will)))
            {
                _ = Publish(client, will, nowMs);
            }
        }
    }

    private Task Publish(ClientKey client, DueWill will, long nowMs)
    {
        var done = new TaskCompletionSource();
        new WillDeparture(
            broker, client, will, space => StoreIn(space, RetainedOf), space => StoreIn(space, StoreOf),
            error =>
            {
                if (error is not null)
                {
                    OnRefused(client, will, nowMs, error);
                }

                // Who waits is woken: short, and fit to run here.
                done.TrySetResult();
            }).Begin(nowMs);
        return done.Task;
    }

    // A full disk may have room later, and what is on it still would come at the next start at the latest.
    private void OnRefused(ClientKey client, DueWill will, long nowMs, BrokerException error)
    {
        Log.WillRefused(logger, will.Client.ClientId, error.Message);
        bool isFinal = error.Error is BrokerError.Unauthorized or BrokerError.InvalidField;
        if (!isFinal && will.Attempts < AttemptsMax)
        {
            _wills.TryAdd(client, will with { DueMs = nowMs + RetryMs, Attempts = will.Attempts + 1 });
        }
    }

    private RetainedStore? StoreIn(string addressSpace, Func<string, RetainedStore> stores)
    {
        try
        {
            return stores(addressSpace);
        }
        catch (BrokerException refusal)
        {
            Log.RetainedTrouble(logger, $"no wills are kept: {refusal.Message}");
            return null;
        }
    }

    /// <summary>A will goes from the disk. A disk that takes nothing is no reason to keep the client out.</summary>
    private sealed class Removal : IRetainWaiter
    {
        private readonly TaskCompletionSource _done = new();

        public Task Task => _done.Task;

        // Who waits is woken: short, and fit to run here.
        public void OnRetained(ulong tag, BrokerException? error) => _done.TrySetResult();
    }
}
