using Pillarbox.Broker;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Storage;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>
/// A whole node without network, threads and time: the real broker in memory, the real AMQP engine on pipes.
/// </summary>
internal sealed class AmqpScene : IDisposable
{
    private const int RoundsMax = 1000;
    private const int QuietRounds = 3;

    private static readonly string[] Folders =
        ["", DataLayout.Journal, DataLayout.Snapshots, DataLayout.Large, DataLayout.Quarantine];

    private readonly AmqpOptions _options;
    private readonly Func<BrokerOptions, BrokerOptions>? _configure;

    public AmqpScene(
        AmqpOptions? options = null, Func<BrokerOptions, BrokerOptions>? configure = null,
        MemoryFileSystem? files = null)
    {
        // A peer that is gone for the node is gone at once: nothing moves the clock while the node would hear it out.
        _options = options = (options ?? new AmqpOptions()) with { LingerMs = 0 };
        _configure = configure;
        Files = files ?? Files;
        var broker = new BrokerOptions
        {
            FileSystem = Files,
            DataDirectory = "data",
            Time = Clock,
            Random = new SeededRandom(1),
            Shards = 1,
            OwnThreads = false,
            PropertyReaders = [new AmqpPropertyReader()],
            AnnotationMergers = [new AmqpAnnotationMerger()],
        };
        Broker = MessageBroker.Open(configure is null ? broker : configure(broker));
        Faults = new FaultLog();
        Handler = new AmqpConnectionHandler(
            Broker, options, new SaslServers(null, new SeededRandom(2)), Clock, Faults);
    }

    public MemoryFileSystem Files { get; } = new();

    /// <summary>The names of all queues.</summary>
    public IReadOnlyList<string> QueueNames
    {
        get
        {
            Task<IReadOnlyList<QueueView>> queues = Broker.Management.ListQueuesAsync(Identity.Node, "default");
            for (int round = 0; round < RoundsMax && !queues.IsCompleted; round++)
            {
                Settle();
            }

            return [.. queues.GetAwaiter().GetResult().Select(queue => queue.Config.Name)];
        }
    }

    public SceneClock Clock { get; } = new();

    public MessageBroker Broker { get; }

    public AmqpConnectionHandler Handler { get; }

    public HandScheduler Scheduler { get; } = new();

    /// <summary>What the engine reported as its own fault.</summary>
    public FaultLog Faults { get; }

    /// <summary>Opens a connection; nothing is sent yet.</summary>
    public AmqpPeer Connect(ConnectionPlan? plan = null, string? serverName = null)
    {
        var peer = new AmqpPeer(this, plan, serverName);
        Settle();
        return peer;
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

    /// <summary>Moves the clock in steps of the engine's tick.</summary>
    public void Advance(long milliseconds)
    {
        for (long left = milliseconds; left > 0; left -= AmqpConnectionHandler.TickMs)
        {
            Clock.Advance(Math.Min(left, AmqpConnectionHandler.TickMs));
            Settle();
        }
    }

    /// <summary>Another node on what the disk holds now, as after a crash of this one.</summary>
    public AmqpScene Crash()
    {
        var copy = new MemoryFileSystem();
        foreach (string directory in Folders.Select(folder => $"data/{folder}".TrimEnd('/')))
        {
            foreach (string name in Files.List(directory, ""))
            {
                using IFile from = Files.Open($"{directory}/{name}", FileOpening.Read);
                using IFile to = copy.Open($"{directory}/{name}", FileOpening.CreateNew);
                byte[] bytes = new byte[from.Length];
                from.Read(0, bytes);
                to.Write(0, bytes);
            }
        }

        return new AmqpScene(_options, _configure, copy);
    }

    public void Dispose()
    {
        Handler.Dispose();
        Broker.Dispose();
    }
}
