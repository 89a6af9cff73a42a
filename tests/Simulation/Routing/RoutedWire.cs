using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Client;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>
/// A connection between two nodes: bytes are under way for a while, arrive in order and in pieces that the seed
/// chooses; a side that does not read is waited for. A silent one carries nothing and tells nobody, until it speaks
/// again or is cut.
/// </summary>
internal sealed class RoutedWire
{
    private readonly Direction[] _directions;
    private readonly RoutedLine _line;

    public RoutedWire(RoutedLine line, SimScheduler scheduler)
    {
        _line = line;
        var left = new SimConnection(scheduler);
        var right = new SimConnection(scheduler);
        Left = new WireEnd(left, this);
        Right = new WireEnd(right, this);
        _directions = [new Direction(left, right), new Direction(right, left)];
    }

    /// <summary>What the node that connects sees of it.</summary>
    public ConnectionContext Left { get; }

    /// <summary>What the node that was connected to sees of it.</summary>
    public ConnectionContext Right { get; }

    public bool IsCut { get; private set; }

    /// <summary>Moves what may move; false: nothing did.</summary>
    public bool Move(long nowMs, IRandom random)
    {
        if (IsCut || _line.IsSilent)
        {
            return false;
        }

        bool moved = false;
        foreach (Direction direction in _directions)
        {
            moved |= direction.Move(nowMs, _line.DelayMs, random);
            if (direction.HasEnded)
            {
                Cut(rudely: false);
                return true;
            }
        }

        return moved;
    }

    /// <summary>What is under way is lost, and both ends hear of it.</summary>
    public void Cut(bool rudely)
    {
        if (!IsCut)
        {
            IsCut = true;
            foreach (Direction direction in _directions)
            {
                direction.From.Cut(rudely);
            }
        }
    }

    private sealed class Direction(SimConnection from, SimConnection to)
    {
        private const int UnderWayBytesMax = 64 << 10;

        private readonly Queue<(long DueMs, byte[] Bytes)> _underWay = [];
        private readonly ByteQueue _taken = new();
        private readonly ByteQueue _arrived = new();
        private int _bytes;

        public SimConnection From => from;

        /// <summary>The sender has ended it, and all that it sent has arrived.</summary>
        public bool HasEnded => from.IsCutByNode && _underWay.Count == 0 && _arrived.Count == 0;

        public bool Move(long nowMs, int delayMs, IRandom random)
        {
            bool moved = false;
            if (_bytes < UnderWayBytesMax && !from.IsCutByNode)
            {
                moved = from.MoveToPeer(_taken, random);
                if (_taken.Count > 0)
                {
                    _underWay.Enqueue((nowMs + delayMs, _taken.Bytes.ToArray()));
                    _bytes += _taken.Count;
                    _taken.Take(_taken.Count);
                }
            }

            while (_underWay.TryPeek(out (long DueMs, byte[] Bytes) next) && next.DueMs <= nowMs)
            {
                _underWay.Dequeue();
                _bytes -= next.Bytes.Length;
                _arrived.Append(next.Bytes);
            }

            return to.MoveToNode(_arrived, random) || moved;
        }
    }

    private sealed class WireEnd(IDuplexPipe pipe, RoutedWire wire) : ConnectionContext
    {
        public override string ConnectionId { get; set; } = "wire";

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

        public override IDuplexPipe Transport { get; set; } = pipe;

        public override void Abort(ConnectionAbortedException abortReason) => wire.Cut(rudely: true);
    }
}

/// <summary>Where two nodes can be connected: what the cable between them is like.</summary>
internal sealed class RoutedLine(RoutedNode left, RoutedNode right, int delayMs)
{
    /// <summary>The node that connects.</summary>
    public RoutedNode Left { get; } = left;

    public RoutedNode Right { get; } = right;

    public int DelayMs { get; } = delayMs;

    /// <summary>No connection can be made.</summary>
    public bool IsDown { get; set; }

    /// <summary>Nothing passes, and nobody is told.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The connection, or null.</summary>
    public RoutedWire? Wire { get; set; }

    public override string ToString() => $"{Left.Id}-{Right.Id}";
}
