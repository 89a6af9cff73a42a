using System.IO.Pipelines;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Mqtt.Content;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Simulation.Tests;

/// <summary>Makes the protocol engine of a node that starts: what ends it, and what serves a connection.</summary>
internal delegate (IDisposable Handler, Func<PeerInfo, IDuplexPipe, Task> Serve) SimEngine(
    MessageBroker broker, SimClock clock, SimLog log, IRandom random);

/// <summary>One node on a recorded disk: started, crashed and started again from what the disk may hold.</summary>
internal sealed class SimNode : IDisposable
{
    private readonly IRandom _random;
    private readonly int _segmentBytes;
    private readonly FileFaults _faults = new();
    private RecordingFileSystem _disk;
    private FaultyFileSystem _files = null!;
    private readonly SimEngine _engine;
    private IDisposable _handler = null!;
    private Func<PeerInfo, IDuplexPipe, Task> _serve = null!;

    /// <summary>One that speaks AMQP unless another engine is given.</summary>
    public SimNode(IRandom random, SimEngine? engine = null)
    {
        _random = random;
        _engine = engine ?? Amqp;
        _segmentBytes = (64 << 10) << random.Next(5);
        _disk = new RecordingFileSystem();
        Scheduler = new SimScheduler();
        // After a power cut a segment may be there, and what was to be before it not: none of it was acknowledged.
        Log = new SimLog(text => IsFailing || (IsFull && text.Contains("disk is full", StringComparison.Ordinal))
            || text.StartsWith("file set aside", StringComparison.Ordinal));
        Start();
    }

    public SimLog Log { get; }

    public SimClock Clock { get; } = new();

    public SimScheduler Scheduler { get; private set; }

    public MessageBroker Broker { get; private set; } = null!;

    /// <summary>Whether the disk was made to fail in this life: then refusals are no surprise.</summary>
    public bool IsFailing { get; private set; }

    /// <summary>Whether there is no room on the disk now: publishes may be refused.</summary>
    public bool IsFull { get; private set; }

    public SimConnection Accept()
    {
        var connection = new SimConnection(Scheduler);
        var peer = new PeerInfo { RemoteEndPoint = "simulated", IsLoopback = true };
        _ = _serve(peer, connection);
        return connection;
    }

    /// <summary>Power goes, perhaps in the middle of a sync, and comes back.</summary>
    public void Crash()
    {
        var choice = new SimCrash((SimCrashKind)_random.Next(5), _random);
        MemoryFileSystem? image = null;
        int syncsLeft = _random.Next(4);
        void Strike() => image ??= syncsLeft-- == 0 ? _disk.MakeCrashImage(choice) : null;
        _disk.Syncing = Strike;
        if (syncsLeft < 3)
        {
            Pump();
        }

        _disk.Syncing = null;
        image ??= _disk.MakeCrashImage(choice);
        Restart(image);
    }

    /// <summary>Stops as an operator stops it: all that matters must be durable.</summary>
    public void StopAndStart()
    {
        _handler.Dispose();
        Broker.Dispose();
        Restart(_disk.MakeCrashImage(new SimCrash(SimCrashKind.None, _random)));
    }

    /// <summary>From now on syncs fail, some or all: the node must give up rather than acknowledge.</summary>
    public void FailSyncs()
    {
        _faults.SyncFailure = _random.Next(2) == 0 ? 1 : 0.3;
        IsFailing = true;
    }

    /// <summary>Takes the free space away but for a little.</summary>
    public void FillDisk()
    {
        _faults.CapacityBytes = long.MaxValue - _files.FreeBytes("data") + _random.Next(_segmentBytes * 2);
        IsFull = true;
    }

    /// <summary>Gives the space back: the node must go on by itself.</summary>
    public void FreeDisk() => _faults.CapacityBytes = long.MaxValue;

    /// <summary>What was refused for lack of room has been told.</summary>
    public void ForgetFull() => IsFull = IsFull && _faults.CapacityBytes != long.MaxValue;

    public void Pump()
    {
        try
        {
            Broker.Pump();
        }
        catch (StorageException) when (IsFailing)
        {
            // It gives up, as it must.
        }
    }

    public void Dispose() => Bury();

    /// <summary>The dead one gives its memory back; what it still writes goes to a disk that nobody looks at any
    /// more.</summary>
    private void Bury()
    {
        _faults.SyncFailure = 0;
        _faults.CapacityBytes = long.MaxValue;
        IsFailing = true;
        _handler.Dispose();
        try
        {
            Broker.Dispose();
        }
        catch (StorageException)
        {
            // It had given up before.
        }
    }

    private void Restart(MemoryFileSystem image)
    {
        Bury();
        _disk = new RecordingFileSystem(image);
        Clock.DropTimers();
        Scheduler = new SimScheduler();
        _faults.SyncFailure = 0;
        _faults.CapacityBytes = long.MaxValue;
        IsFailing = false;
        IsFull = false;
        Start();
    }

    private void Start()
    {
        SynchronizationContext.SetSynchronizationContext(Scheduler.Context);
        Broker = MessageBroker.Open(new BrokerOptions
        {
            FileSystem = _files = new FaultyFileSystem(_disk, _faults, _random),
            DataDirectory = "data",
            Time = Clock,
            Random = _random,
            Shards = 2,
            OwnThreads = false,
            SegmentBytes = _segmentBytes,
            CacheBytes = 1 << 20,
            LargeMessageBytesMin = 16 << 10,
            PropertyReaders = [],
            ContentMaps = [new MqttContentMap()],
            LoggerFactory = Log,
        });
        (_handler, _serve) = _engine(Broker, Clock, Log, _random);
    }

    private static (IDisposable Handler, Func<PeerInfo, IDuplexPipe, Task> Serve) Amqp(
        MessageBroker broker, SimClock clock, SimLog log, IRandom random)
    {
        var options = new AmqpOptions
        {
            AssembleBytesMax = 8 << 10,
            MaxFrameBytes = 512 << random.Next(6),
            HandshakeTimeoutMs = int.MaxValue,
            IdleTimeoutMs = 0,
            LingerMs = 0,
        };
        var handler = new AmqpConnectionHandler(
            broker, options, new SaslServers(null, random), clock, log, random);
        return (handler, handler.RunAsync);
    }
}

/// <summary>What a power cut leaves of what was not synced.</summary>
internal enum SimCrashKind
{
    None,
    All,
    Prefix,
    TornSectors,
    AnySubset,
}

/// <summary>Chooses by the seed.</summary>
internal sealed class SimCrash(SimCrashKind kind, IRandom random) : ICrashChoice
{
    public int ChooseEntries(int changes) => kind switch
    {
        SimCrashKind.None => 0,
        SimCrashKind.All => changes,
        _ => random.Next(changes + 1),
    };

    public bool ChooseChange(int index, int count) => kind switch
    {
        SimCrashKind.None => false,
        SimCrashKind.All => true,
        SimCrashKind.Prefix => index < count / 2,
        SimCrashKind.TornSectors => index < count,
        _ => random.Next(2) == 0,
    };

    public bool ChooseSector(int index, int count) =>
        kind is SimCrashKind.All or SimCrashKind.Prefix || random.Next(3) != 0;
}
