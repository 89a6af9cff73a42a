using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Transport;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>The other end of a connection: sends bytes and frames, and collects what the node answers.</summary>
internal sealed class AmqpPeer
{
    private readonly AmqpScene _scene;
    private readonly StrongBox<int> _blocksHeld = new();
    private readonly Pipe _toNode;
    private readonly Pipe _fromNode;
    private readonly Task _served;
    private readonly List<ReceivedFrame> _frames = [];
    private readonly List<byte[]> _headers = [];
    private bool _expectsHeader;

    /// <param name="scene">The node.</param>
    /// <param name="plan">What the node takes the connection for; null: a client's.</param>
    /// <param name="serverName">The host that it asked for under TLS; null: none.</param>
    public AmqpPeer(AmqpScene scene, ConnectionPlan? plan = null, string? serverName = null)
    {
        _scene = scene;
        // Who made a connection has exchanged headers and logged in before.
        _expectsHeader = plan is not { IsInitiator: true };
        var pipe = new PipeOptions(
            readerScheduler: scene.Scheduler, writerScheduler: scene.Scheduler, pauseWriterThreshold: 64 << 10,
            useSynchronizationContext: false);
        _toNode = new Pipe(new PipeOptions(
            new CountingPool(_blocksHeld), readerScheduler: scene.Scheduler, writerScheduler: scene.Scheduler,
            pauseWriterThreshold: 0,
            useSynchronizationContext: false));
        _fromNode = new Pipe(pipe);
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        ConnectionHandler handler = plan is null ? scene.Handler : scene.Handler.For(plan);
        var connection = new DefaultConnectionContext("peer")
        {
            Transport = new Ends(_toNode.Reader, _fromNode.Writer),
        };
        if (serverName is not null)
        {
            connection.Features.Set(TlsFacts.Unknown with { ServerName = serverName });
        }

        _served = handler.OnConnectedAsync(connection);
        SynchronizationContext.SetSynchronizationContext(context);
    }

    /// <summary>Whether the node has ended the connection.</summary>
    public bool IsEnded => _served.IsCompleted;

    /// <summary>Blocks of memory that hold what the node has not taken.</summary>
    public int BlocksHeld => _blocksHeld.Value;

    /// <summary>Whether the node's answers are read; when not, they pile up as with a peer that hangs.</summary>
    public bool Reads { get; set; } = true;

    /// <summary>Bytes that the node has written and that were not read.</summary>
    public long UnreadBytes
    {
        get
        {
            if (!_fromNode.Reader.TryRead(out ReadResult result))
            {
                return 0;
            }

            long bytes = result.Buffer.Length;
            _fromNode.Reader.AdvanceTo(result.Buffer.Start);
            return bytes;
        }
    }

    /// <summary>Protocol headers that the node sent.</summary>
    public IReadOnlyList<byte[]> Headers
    {
        get
        {
            Collect();
            return _headers;
        }
    }

    /// <summary>Frames that came and were not expected yet.</summary>
    public IReadOnlyList<ReceivedFrame> Frames
    {
        get
        {
            Collect();
            return _frames;
        }
    }

    /// <summary>Sends bytes and lets everything happen.</summary>
    public AmqpPeer Send(ReadOnlySpan<byte> bytes)
    {
        Write(bytes);
        _scene.Settle();
        Collect();
        return this;
    }

    /// <summary>Gives bytes to the pipe; nothing happens before the scene settles.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!IsEnded)
        {
            _toNode.Writer.Write(bytes);
            _toNode.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>Cuts the connection.</summary>
    public void Cut()
    {
        _toNode.Writer.Complete();
        _scene.Settle();
    }

    /// <summary>Takes the oldest frame that was not looked at; throws when there is none.</summary>
    public ReceivedFrame Next()
    {
        Collect();
        if (_frames.Count == 0)
        {
            throw new InvalidOperationException("the node sent no (further) frame");
        }
        ReceivedFrame frame = _frames[0];
        _frames.RemoveAt(0);
        return frame;
    }

    /// <summary>Takes the oldest frame and checks what it is.</summary>
    public ReceivedFrame Next(ulong descriptor)
    {
        ReceivedFrame frame = Next();
        return frame.Descriptor == descriptor
            ? frame
            : throw new InvalidOperationException($"expected descriptor 0x{descriptor:x}, the node sent {frame}");
    }

    /// <summary>Looks at everything that came; a word per frame.</summary>
    public string TakeAll()
    {
        Collect();
        string all = string.Join(' ', _frames);
        _frames.Clear();
        return all;
    }

    /// <summary>Drops what came on a channel.</summary>
    public void Forget(ushort channel)
    {
        Collect();
        _frames.RemoveAll(frame => frame.Header.Channel == channel);
    }

    private void Collect()
    {
        while (Reads && _fromNode.Reader.TryRead(out ReadResult result))
        {
            ReadOnlySequence<byte> rest = result.Buffer;
            while (TryTake(ref rest))
            {
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

    private bool TryTake(ref ReadOnlySequence<byte> rest)
    {
        if (_expectsHeader)
        {
            if (ProtocolHeader.TryRead(ref rest, out ProtocolHeader header) == HeaderMatch.Found)
            {
                var bytes = new ArrayBufferWriter<byte>();
                header.Write(bytes);
                _headers.Add(bytes.WrittenSpan.ToArray());
                _expectsHeader = false;
                return true;
            }
            return false;
        }
        if (!Pillarbox.Protocols.Amqp.Wire.Frames.TryReadFrame(
            ref rest, uint.MaxValue, out FrameHeader frame, out ReadOnlySequence<byte> body))
        {
            return false;
        }
        var received = new ReceivedFrame(frame, body.ToArray());
        _frames.Add(received);
        _expectsHeader = received.Descriptor == SaslOutcome.DescriptorCode
            && received.AsSaslOutcome().Code == SaslCode.Ok;
        return true;
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = new PatientReader(input);

        public PipeWriter Output => output;
    }
}
