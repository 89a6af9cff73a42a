using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire;
using Pillarbox.Protocols.OpenWire.Content;
using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Fuzz.OpenWire.Scene;

/// <summary>
/// A whole node without network, threads and time: the real broker in memory, the real OpenWire engine on pipes.
/// </summary>
internal sealed class OpenWireScene : IDisposable
{
    private const int RoundsMax = 1000;
    private const int QuietRounds = 3;

    public OpenWireScene(OpenWireOptions? options = null, Func<BrokerOptions, BrokerOptions>? configure = null)
    {
        var broker = new BrokerOptions
        {
            FileSystem = new MemoryFileSystem(),
            DataDirectory = "data",
            Time = Clock,
            Random = new SeededRandom(1),
            Shards = 1,
            OwnThreads = false,
            PropertyReaders = [new OpenWirePropertyReader()],
            ContentMaps = [new OpenWireContentMap()],
        };
        Broker = MessageBroker.Open(configure is null ? broker : configure(broker));
        // There is no system between the two ends that would throw words away.
        options = (options ?? new OpenWireOptions()) with { LingerMs = 0 };
        Handler = new OpenWireConnectionHandler(
            Broker, options, new SaslServers(null, new SeededRandom(2)), Clock, Faults);
    }

    public SceneClock Clock { get; } = new();

    public MessageBroker Broker { get; }

    public OpenWireConnectionHandler Handler { get; }

    public HandScheduler Scheduler { get; } = new();

    /// <summary>What the engine reported as its own fault.</summary>
    public FaultLog Faults { get; } = new();

    /// <summary>Opens a connection; nothing is sent yet.</summary>
    public OpenWirePeer Connect()
    {
        var peer = new OpenWirePeer(this);
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
        for (long left = milliseconds; left > 0; left -= OpenWireConnectionHandler.TickMs)
        {
            Clock.Advance(Math.Min(left, OpenWireConnectionHandler.TickMs));
            Settle();
        }
    }

    public void Dispose()
    {
        Handler.Dispose();
        Broker.Dispose();
    }
}

/// <summary>The other end of a connection: sends bytes and commands, and collects what the node answers.</summary>
internal sealed class OpenWirePeer
{
    private const int FrameBytesMax = 1 << 30;
    private const int AnswerTimeoutMs = 10_000;
    private readonly OpenWireScene _scene;
    private readonly Pipe _toNode;
    private readonly Pipe _fromNode;
    private readonly Task _served;
    private readonly WireReader _reader = new();
    private readonly WireWriter _writer = new();
    private int _lastCommand;

    public OpenWirePeer(OpenWireScene scene)
    {
        _scene = scene;
        var options = new PipeOptions(
            readerScheduler: scene.Scheduler, writerScheduler: scene.Scheduler, pauseWriterThreshold: 0,
            useSynchronizationContext: false);
        _toNode = new Pipe(options);
        _fromNode = new Pipe(options);
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        _served = scene.Handler.OnConnectedAsync(new DefaultConnectionContext("peer")
        {
            Transport = new Ends(_toNode.Reader, _fromNode.Writer),
        });
        SynchronizationContext.SetSynchronizationContext(context);
    }

    /// <summary>Whether the node has ended the connection.</summary>
    public bool IsEnded => _served.IsCompleted;

    /// <summary>Commands that came and were not looked at.</summary>
    public List<IDataStructure> Received { get; } = [];

    /// <summary>From now on both write so.</summary>
    public void Use(WireFormat format)
    {
        _reader.Use(format);
        _writer.Use(format);
    }

    /// <summary>Sends bytes; nothing is done yet.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        _toNode.Writer.Write(bytes);
        _toNode.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Sends bytes and lets everything happen.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (!IsEnded)
        {
            Write(bytes);
        }

        _scene.Settle();
        Collect();
    }

    /// <summary>Sends bytes, and throws away what comes back.</summary>
    public void SendBlindly(ReadOnlySpan<byte> bytes)
    {
        if (!IsEnded)
        {
            Write(bytes);
        }

        Drop();
    }

    /// <summary>Cuts the connection, and throws away what comes back.</summary>
    public void CutBlindly()
    {
        _toNode.Writer.Complete();
        Drop();
    }

    /// <summary>Sends bytes and is gone, before anything of it is seen.</summary>
    public void SendAndCut(ReadOnlySpan<byte> bytes)
    {
        Write(bytes);
        CutBlindly();
    }

    private void Drop()
    {
        _scene.Settle();
        while (_fromNode.Reader.TryRead(out ReadResult result))
        {
            bool isLast = result.Buffer.IsEmpty;
            _fromNode.Reader.AdvanceTo(result.Buffer.End);
            _scene.Settle();
            if (isLast)
            {
                return;
            }
        }
    }

    /// <summary>Sends a command that asks for an answer; its number.</summary>
    public int Send(Command command, bool asks = true)
    {
        command.CommandId = ++_lastCommand;
        command.ResponseRequired = asks;
        Send(BytesOf(command));
        return command.CommandId;
    }

    public byte[] BytesOf(IDataStructure structure)
    {
        var bytes = new ArrayBufferWriter<byte>();
        _writer.Write(structure, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Sends a command and takes its answer.</summary>
    public Response Ask(Command command)
    {
        int id = Send(command);
        // Another connection's end, which an answer may wait for, can come by another thread.
        SpinWait.SpinUntil(() => HasAnswer(id), AnswerTimeoutMs);
        Response answer = Received.OfType<Response>().FirstOrDefault(response => response.CorrelationId == id)
            ?? throw new InvalidOperationException($"the node did not answer a {command.Type}");
        Received.Remove(answer);
        return answer;
    }

    private bool HasAnswer(int id)
    {
        if (Received.OfType<Response>().Any(response => response.CorrelationId == id) || IsEnded)
        {
            return true;
        }

        _scene.Settle();
        Collect();
        return Received.OfType<Response>().Any(response => response.CorrelationId == id);
    }

    /// <summary>Takes the oldest of a kind; null: there is none.</summary>
    public T? Take<T>()
        where T : class, IDataStructure
    {
        Collect();
        T? first = Received.OfType<T>().FirstOrDefault();
        if (first is not null)
        {
            Received.Remove(first);
        }

        return first;
    }

    /// <summary>Cuts the connection.</summary>
    public void Cut()
    {
        _toNode.Writer.Complete();
        _scene.Settle();
        Collect();
    }

    private void Collect()
    {
        while (_fromNode.Reader.TryRead(out ReadResult result))
        {
            ReadOnlySequence<byte> rest = result.Buffer;
            while (WireFrames.TryTake(rest, FrameBytesMax, out ReadOnlySequence<byte> frame))
            {
                rest = rest.Slice(frame.End);
                if (_reader.Read(frame.ToArray()) is { } structure)
                {
                    Received.Add(structure);
                    FollowNegotiation(structure);
                }
            }

            bool progress = rest.Length < result.Buffer.Length;
            _fromNode.Reader.AdvanceTo(rest.Start, rest.End);
            _scene.Settle();
            if (!progress || result.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>What this side asks for; what both then speak is the smaller of it and the node's.</summary>
    public WireFormat Wanted { get; set; } = WireFormat.Initial;

    private void FollowNegotiation(IDataStructure structure)
    {
        if (structure is WireFormatInfo)
        {
            Use(Wanted);
        }
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
