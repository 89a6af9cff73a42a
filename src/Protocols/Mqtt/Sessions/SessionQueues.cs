using Pillarbox.Broker;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>
/// The queues that a session is made of. One whose expiry is 0 has a temporary queue and ends with its connection; any
/// other has durable ones, which the broker deletes when nobody has used them for so long. Owned by the connection.
/// </summary>
internal sealed class SessionQueues
{
    private readonly string _clientId;
    private readonly bool _isDurable;
    private uint _expirySeconds;

    private SessionQueues(BrokerClient client, string clientId, uint expirySeconds, bool wasThere)
    {
        Client = client;
        _clientId = clientId;
        _expirySeconds = expirySeconds;
        _isDurable = wasThere || expirySeconds > 0;
        WasThere = wasThere;
        Queue = SessionNames.Queue(clientId);
    }

    public BrokerClient Client { get; }

    /// <summary>The name of the queue of its messages.</summary>
    public string Queue { get; }

    /// <summary>The session was there before.</summary>
    public bool WasThere { get; }

    /// <summary>What it must not forget; null: it ends with its connection.</summary>
    public SessionState? State { get; private set; }

    /// <summary>Seconds that it outlives its connection.</summary>
    public uint ExpirySeconds
    {
        get => _expirySeconds;
        set => _expirySeconds = _isDurable ? value : 0;
    }

    private long ExpiryMs => _expirySeconds == ConnectPacket.NeverExpires ? -1 : _expirySeconds * 1000L;

    private IEnumerable<string> Names => [Queue, SessionNames.StateQueue(_clientId)];

    /// <summary>Takes a session up, or makes one (MQTT 5.0 §3.1.2.4). Throws <see cref="BrokerException"/>,
    /// Unauthorized when it is another user's.</summary>
    public static SessionQueues Open(
        BrokerClient client, string clientId, bool cleanStart, uint expirySeconds, MqttOptions options)
    {
        QueueConfig? there = client.FindQueue(SessionNames.Queue(clientId));
        if (there is not null && there.Owner != client.Info.Identity.Name)
        {
            throw new BrokerException(BrokerError.Unauthorized, "the client identifier is another user's");
        }

        bool wasThere = there is { Durable: true } && !cleanStart;
        var queues = new SessionQueues(client, clientId, expirySeconds, wasThere);
        if (there is not null && !wasThere)
        {
            queues.Delete();
        }

        queues.Make(options);
        return queues;
    }

    /// <summary>What is kept of it begins to be read.</summary>
    public void Load()
    {
        if (_isDurable)
        {
            State = new SessionState(Client, SessionNames.StateQueue(_clientId));
        }
    }

    /// <summary>The queue of a shared subscription lives on as long as this session may, from when nobody is connected
    /// to it. One of which no member outlives its connection goes with the last of them.</summary>
    public void KeepShared(string queue, bool isLeaving)
    {
        if (_isDurable)
        {
            Client.SetQueueExpiry(queue, ExpiryMs, isLeaving && ExpiryMs >= 0);
        }
    }

    /// <summary>The connection is over: the session goes with it, or its time begins.</summary>
    public void Close()
    {
        try
        {
            if (_isDurable && _expirySeconds == 0)
            {
                Delete();
            }
            else if (_isDurable)
            {
                SetExpiry(begins: true);
            }
        }
        catch (BrokerException)
        {
            // The disk takes nothing: the time begins with the next start of the node.
        }

        Client.Dispose();
    }

    private void Make(MqttOptions options)
    {
        foreach (string name in _isDurable ? Names : [Queue])
        {
            Client.CreateQueue(Private(name) with
            {
                TransientMax = options.WaitingMessagesMax,
                StreamsMax = name == Queue ? options.StreamSubscriptionsMax : 0,
            });
        }

        if (_isDurable)
        {
            SetExpiry(begins: false);
        }
    }

    private QueueConfig Private(string name) => new()
    {
        Name = name,
        Address = SessionNames.Address,
        RoutingType = RoutingType.Multicast,
        Durable = _isDurable,
        Temporary = !_isDurable,
        AutoCreated = true,
        IsSubscription = true,
        IsPrivate = true,
    };

    private void SetExpiry(bool begins)
    {
        foreach (string name in Names)
        {
            Client.SetQueueExpiry(name, ExpiryMs, begins && ExpiryMs >= 0);
        }
    }

    private void Delete()
    {
        foreach (string name in Names)
        {
            if (Client.FindQueue(name) is not null)
            {
                Client.DeleteQueue(name, ifUnused: false);
            }
        }
    }
}
