using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Wills;

/// <summary>A will of a client that is gone.</summary>
/// <param name="Client">Who published it.</param>
/// <param name="Will">What is published.</param>
/// <param name="DueMs">When, in milliseconds since the Unix epoch.</param>
internal sealed record DueWill(ClientInfo Client, WillMessage Will, long DueMs);

/// <summary>
/// Wills whose delay runs while their client is gone (MQTT 5.0 §3.1.3.2.2): it comes back and takes its will, or the
/// will is published. Kept over a restart. Thread-safe.
/// </summary>
internal sealed class DelayedWills(MessageBroker broker, MqttOptions options, ILogger logger)
{
    private const int StepsPerLook = 10_000;

    private readonly ConcurrentDictionary<ClientKey, DueWill> _wills = new();
    private readonly ConcurrentDictionary<string, Task> _loading = new(StringComparer.Ordinal);

    /// <summary>Where those of an address space are on disk.</summary>
    public Func<string, RetainedStore> StoreOf { get; set; } = null!;

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
        if (_wills.Count >= options.DelayedWillsMax || StoreIn(client) is not { } store)
        {
            return false;
        }

        _wills[client] = will;
        store.Set(StoredWill.For(client.ClientId, will), null, 0);
        return true;
    }

    private RetainedStore? StoreIn(ClientKey client)
    {
        try
        {
            return StoreOf(client.AddressSpace);
        }
        catch (BrokerException refusal)
        {
            Log.RetainedTrouble(logger, $"no wills are kept: {refusal.Message}");
            return null;
        }
    }

    /// <summary>The client is back; null: it has none here. What was kept of it is gone from the disk when <paramref
    /// name="gone"/> completes: until then a crash could bring it again.</summary>
    public DueWill? Take(ClientKey client, out Task? gone)
    {
        gone = null;
        if (!_wills.TryRemove(client, out DueWill? will))
        {
            return null;
        }

        var removal = new Removal();
        Forget(client, removal);
        gone = removal.Task;
        return will;
    }

    /// <summary>Publishes what is due.</summary>
    public void Tick(long nowMs)
    {
        foreach ((ClientKey client, DueWill will) in _wills)
        {
            if (nowMs >= will.DueMs && _wills.TryRemove(new KeyValuePair<ClientKey, DueWill>(client, will)))
            {
                Publish(will, nowMs);
                Forget(client);
            }
        }
    }

    private void Forget(ClientKey client, IRetainWaiter? waiter = null)
    {
        if (StoreIn(client) is { } store)
        {
            store.Set(StoredWill.For(client.ClientId, null), waiter, 0);
        }
        else
        {
            waiter?.OnRetained(0, null);
        }
    }

    /// <summary>Publishes one now, in its client's name. Retained ones are retained by <see cref="OnRetained"/>.
    /// </summary>
    public void Publish(DueWill due, long nowMs)
    {
        try
        {
            using BrokerClient client = broker.Connect(due.Client, NoWake.Instance);
            Producer producer = client.OpenProducer(new ProducerOptions { MakesNoAddress = true });
            (MessageHeader header, byte[] stored, string address) = Encode(due.Will, nowMs);
            client.Publish(producer, header, new ReadOnlySequence<byte>(stored), 0, address);
            client.Flush();
            if (due.Will.Retain)
            {
                OnRetained?.Invoke(due, stored, header.ExpiresAtMs, client.PublisherHash);
            }
        }
        catch (BrokerException refusal)
        {
            Log.WillRefused(logger, due.Client.ClientId, refusal.Message);
        }
    }

    /// <summary>Who keeps the retained ones.</summary>
    public Action<DueWill, byte[], long, ulong>? OnRetained { get; set; }

    /// <summary>A will as the broker stores it.</summary>
    public static (MessageHeader Header, byte[] Stored, string Address) Encode(WillMessage will, long nowMs)
    {
        byte[] topic = Encoding.UTF8.GetBytes(will.Topic);
        var message = new MqttMessageMap
        {
            Qos = will.Qos,
            Retain = will.Retain,
            Topic = topic,
            Properties = will.Properties,
            Payload = will.Payload,
        };
        byte[] stored = new byte[message.Bytes];
        message.Write(stored);
        var header = new MessageHeader
        {
            Durable = will.Qos > 0,
            ExpiresAtMs = will.MessageExpiry is { } seconds ? nowMs + Math.Max(1, seconds * 1000L) : 0,
            Format = PayloadFormat.Mqtt,
        };
        return (header, stored, TopicNames.ToAddress(topic));
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
