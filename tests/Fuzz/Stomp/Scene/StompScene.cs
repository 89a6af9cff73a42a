using Pillarbox.Broker;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp;
using Pillarbox.Storage;

namespace Pillarbox.Fuzz.Stomp.Scene;

/// <summary>
/// A whole node without network, threads and time: the real broker in memory, the real STOMP engine on pipes.
/// </summary>
internal sealed class StompScene : IDisposable
{
    private const int RoundsMax = 1000;
    private const int QuietRounds = 3;

    public StompScene(StompOptions? options = null, Func<BrokerOptions, BrokerOptions>? configure = null)
    {
        var broker = new BrokerOptions
        {
            FileSystem = new MemoryFileSystem(),
            DataDirectory = "data",
            Time = Clock,
            Random = new SeededRandom(1),
            Shards = 1,
            OwnThreads = false,
            PropertyReaders = [new StompPropertyReader()],
            ContentMaps = [new StompContentMap()],
        };
        Broker = MessageBroker.Open(configure is null ? broker : configure(broker));
        // There is no system between the two ends that would throw words away.
        options = (options ?? new StompOptions { AllowAnyPassword = true }) with { LingerMs = 0 };
        Handler = new StompConnectionHandler(
            Broker, options, new SaslServers(null, new SeededRandom(2)), Clock, Faults);
    }

    public SceneClock Clock { get; } = new();

    public MessageBroker Broker { get; }

    public StompConnectionHandler Handler { get; }

    public HandScheduler Scheduler { get; } = new();

    /// <summary>What the engine reported as its own fault.</summary>
    public FaultLog Faults { get; } = new();

    /// <summary>Opens a connection; nothing is sent yet.</summary>
    public StompPeer Connect()
    {
        var peer = new StompPeer(this);
        Settle();
        return peer;
    }

    /// <summary>Opens a connection and logs in.</summary>
    public StompPeer Connect(string version, string headers = "")
    {
        StompPeer peer = Connect();
        peer.Send($"CONNECT\naccept-version:{version}\nhost:x\n{headers}\n\0");
        ReceivedFrame connected = peer.Next("CONNECTED");
        return connected["version"] == version
            ? peer
            : throw new InvalidOperationException($"the node chose {connected["version"]}");
    }

    /// <summary>Lets everything happen that can happen without the clock.</summary>
    public void Settle()
    {
        for (int quiet = 0, round = 0; quiet < QuietRounds && round < RoundsMax; round++)
        {
            bool any = Scheduler.RunAll();
            Broker.Pump();
            quiet = any ? 0 : quiet + 1;
        }
    }

    /// <summary>The queues of the default address space, with their messages.</summary>
    public Dictionary<string, long> Queues()
    {
        Task<IReadOnlyList<QueueView>> views = Broker.Management.ListQueuesAsync(Identity.Node, "default");
        Settle();
        return views.GetAwaiter().GetResult().ToDictionary(v => v.Config.Name, v => v.MessageCount);
    }

    /// <summary>Moves the clock in steps of the engine's tick.</summary>
    public void Advance(long milliseconds)
    {
        for (long left = milliseconds; left > 0; left -= StompConnectionHandler.TickMs)
        {
            Clock.Advance(Math.Min(left, StompConnectionHandler.TickMs));
            Settle();
        }
    }

    public void Dispose()
    {
        Handler.Dispose();
        Broker.Dispose();
    }
}
