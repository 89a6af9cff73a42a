using System.Buffers;
using System.IO.Pipelines;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Client;

namespace Pillarbox.Simulation.Tests;

/// <summary>A connection in memory: bytes arrive in pieces that the seed chooses, a side that does not read is waited
/// for.</summary>
internal sealed class SimConnection : IDuplexPipe
{
    private const int PauseBytes = 16 << 10;
    private readonly Pipe _toNode;
    private readonly Pipe _toPeer;
    private Task _flush = Task.CompletedTask;

    public SimConnection(SimScheduler scheduler)
    {
        var options = new PipeOptions(
            null, scheduler, scheduler, PauseBytes, PauseBytes / 2, 512, useSynchronizationContext: false);
        _toNode = new Pipe(options);
        _toPeer = new Pipe(options);
    }

    /// <summary>The node's side.</summary>
    public PipeReader Input => _toNode.Reader;

    /// <inheritdoc/>
    public PipeWriter Output => _toPeer.Writer;

    /// <summary>The node has gone from its side.</summary>
    public bool IsCutByNode { get; private set; }

    /// <summary>Moves some of the bytes that wait towards the node; false when there was nothing to move or no
    /// room.</summary>
    public bool MoveToNode(ByteQueue bytes, IRandom random)
    {
        if (bytes.Count == 0 || IsCutByNode || !_flush.IsCompleted)
        {
            return false;
        }

        int count = random.Next(3) == 0 ? 1 + random.Next(bytes.Count) : bytes.Count;
        _toNode.Writer.Write(bytes.Bytes[..count]);
        bytes.Take(count);
        _flush = _toNode.Writer.FlushAsync().AsTask();
        return true;
    }

    /// <summary>Moves some of the bytes that wait towards the peer; false when there was nothing to move.</summary>
    public bool MoveToPeer(ByteQueue bytes, IRandom random)
    {
        if (IsCutByNode || !_toPeer.Reader.TryRead(out ReadResult result))
        {
            return false;
        }

        long length = result.Buffer.Length;
        long count = length > 0 && random.Next(3) == 0 ? 1 + random.Next((int)length) : length;
        ReadOnlySequence<byte> moved = result.Buffer.Slice(0, count);
        foreach (ReadOnlyMemory<byte> part in moved)
        {
            bytes.Append(part.Span);
        }

        _toPeer.Reader.AdvanceTo(moved.End);
        IsCutByNode = result.IsCompleted && count == length;
        return count > 0 || IsCutByNode;
    }

    /// <summary>The peer vanishes: what it has not moved is lost, what the node still writes too.</summary>
    public void Cut(bool rudely)
    {
        _toNode.Writer.Complete(rudely ? new IOException("cut by the simulation") : null);
        _toPeer.Reader.Complete();
    }
}
