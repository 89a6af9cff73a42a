using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Fuzz.Amqp.Scene;

namespace Pillarbox.Fuzz.Stomp.Scene;

/// <summary>The other end of a connection: sends bytes and frames, and collects what the node answers.</summary>
internal sealed class StompPeer
{
    private readonly StompScene _scene;
    private readonly Pipe _toNode;
    private readonly Pipe _fromNode;
    private readonly Task _served;
    private readonly List<ReceivedFrame> _frames = [];
    private byte[] _rest = [];

    public StompPeer(StompScene scene)
    {
        _scene = scene;
        _toNode = new Pipe(Options(scene, pause: 0));
        _fromNode = new Pipe(Options(scene, pause: 64 << 10));
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

    /// <summary>Whether the node's answers are read; when not, they pile up as with a peer that hangs.</summary>
    public bool Reads { get; set; } = true;

    /// <summary>Bytes that came since the last frame: heart-beats.</summary>
    public int BlankBytes { get; private set; }

    /// <summary>Frames that came and were not taken yet.</summary>
    public IReadOnlyList<ReceivedFrame> Frames
    {
        get
        {
            Collect();
            return _frames;
        }
    }

    /// <summary>Sends text and lets everything happen.</summary>
    public StompPeer Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    /// <summary>Sends bytes and lets everything happen.</summary>
    public StompPeer Send(ReadOnlySpan<byte> bytes)
    {
        if (!IsEnded)
        {
            Write(bytes);
        }

        _scene.Settle();
        Collect();
        return this;
    }

    /// <summary>Sends bytes; nothing is done yet.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        _toNode.Writer.Write(bytes);
        _toNode.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Cuts the connection.</summary>
    public void Cut()
    {
        _toNode.Writer.Complete();
        _scene.Settle();
    }

    /// <summary>Reads what is there now, and nothing of what comes then; how many bytes.</summary>
    public long ReadOnce()
    {
        if (!_fromNode.Reader.TryRead(out ReadResult result))
        {
            return 0;
        }

        long count = result.Buffer.Length;
        _fromNode.Reader.AdvanceTo(result.Buffer.End);
        _scene.Settle();
        return count;
    }

    /// <summary>Takes the oldest frame and checks what it is.</summary>
    public ReceivedFrame Next(string command)
    {
        Collect();
        if (_frames.Count == 0)
        {
            throw new InvalidOperationException($"expected {command}, the node sent no (further) frame");
        }

        ReceivedFrame frame = _frames[0];
        _frames.RemoveAt(0);
        return frame.Command == command
            ? frame
            : throw new InvalidOperationException(
                $"expected {command}, the node sent {frame.Command} {string.Join(' ', frame.Headers)}");
    }

    /// <summary>Takes everything that came; the commands.</summary>
    public string TakeAll()
    {
        Collect();
        string all = string.Join(' ', _frames.Select(f => f.Command));
        _frames.Clear();
        return all;
    }

    private static PipeOptions Options(StompScene scene, int pause) => new(
        readerScheduler: scene.Scheduler, writerScheduler: scene.Scheduler, pauseWriterThreshold: pause,
        useSynchronizationContext: false);

    private void Collect()
    {
        while (Reads && _fromNode.Reader.TryRead(out ReadResult result))
        {
            _rest = [.. _rest, .. result.Buffer.ToArray()];
            bool any = !result.Buffer.IsEmpty;
            _fromNode.Reader.AdvanceTo(result.Buffer.End);
            TakeFrames();
            _scene.Settle();
            if (result.IsCompleted || !any)
            {
                return;
            }
        }
    }

    private void TakeFrames()
    {
        ReadOnlySpan<byte> rest = _rest;
        while (ReceivedFrame.TryTake(ref rest) is { } frame)
        {
            _frames.Add(frame);
        }

        BlankBytes += rest.Length - rest.TrimStart((byte)'\n').Length;
        _rest = rest.TrimStart((byte)'\n').ToArray();
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input { get; } = new PatientReader(input);

        public PipeWriter Output => output;
    }
}
