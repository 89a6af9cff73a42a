using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>Owns some of the TCP connections of a node's services: what the network brings for them and what their
/// sockets bring meet here.</summary>
internal sealed class TcpLoop : PoolLoop
{
    // Turns before others of the pool have theirs.
    private const int TurnsPerRun = 16;

    private readonly ConcurrentQueue<TcpStream> _ready = new();
    private readonly HashSet<TcpStream> _streams = [];
    private readonly ILogger _logger;
    private volatile bool _isOver;

    public TcpLoop(INetwork network, ILogger logger, bool ownThreads)
        : base(ownThreads)
    {
        Network = network;
        _logger = logger;
        Traffic = new RoutedTraffic(trunk: static () => null, this);
    }

    public INetwork Network { get; }

    public RoutedTraffic Traffic { get; }

    public ILogger Logger => _logger;

    /// <summary>The node stops: nothing new begins.</summary>
    public bool IsOver => _isOver;

    /// <summary>Connections now; any thread may read it a little late.</summary>
    public int Count => _streams.Count;

    /// <summary>A stream has something to do. Any thread.</summary>
    public void Ready(TcpStream stream)
    {
        if (stream.TryQueue())
        {
            _ready.Enqueue(stream);
            Wake();
        }
    }

    /// <summary>The same on a thread that a socket's completion has, and which goes on as the loop: no other is woken.
    /// </summary>
    public void Completed(TcpStream stream)
    {
        if (stream.TryQueue())
        {
            _ready.Enqueue(stream);
            RunHere();
        }
    }

    public void Add(TcpStream stream) => _streams.Add(stream);

    public void Remove(TcpStream stream) => _streams.Remove(stream);

    /// <summary>Ends all. Any thread.</summary>
    public void End()
    {
        _isOver = true;
        Wake();
    }

    /// <inheritdoc/>
    protected override void Run()
    {
        if (_isOver)
        {
            foreach (TcpStream stream in _streams.ToArray())
            {
                stream.Fail("the node stops");
            }

            Traffic.Drain();
            Traffic.Close();
            return;
        }

        for (int turn = 0; turn < TurnsPerRun; turn++)
        {
            Traffic.Drain();
            for (int left = _ready.Count; left > 0 && _ready.TryDequeue(out TcpStream? stream); left--)
            {
                stream.Run();
            }

            Traffic.WakeOthers();
            if (!Traffic.HasEvents && _ready.IsEmpty)
            {
                return;
            }
        }

        Wake();
    }

    /// <inheritdoc/>
    protected override void OnFault(Exception fault) => Log.OwnFault(_logger, fault, "a TCP service");
}
