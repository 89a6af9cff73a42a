using System.Buffers;

namespace Pillarbox.Protocols.Stomp.Sending;

/// <summary>Header block and body as one sequence without copying either; made once and used again.</summary>
internal sealed class PayloadSequence
{
    private readonly Segment _head = new();
    private readonly Segment _body = new();

    /// <summary>Both, one behind the other. Valid until the next call.</summary>
    public ReadOnlySequence<byte> Join(ReadOnlyMemory<byte> head, in ReadOnlySequence<byte> body)
    {
        if (body.IsEmpty)
        {
            return new ReadOnlySequence<byte>(head);
        }

        _head.Set(head, 0, _body);
        if (body.IsSingleSegment)
        {
            _body.Set(body.First, head.Length, null);
            return new ReadOnlySequence<byte>(_head, 0, _body, body.First.Length);
        }

        Segment last = _body;
        long index = head.Length;
        SequencePosition at = body.Start;
        bool isFirst = true;
        while (body.TryGet(ref at, out ReadOnlyMemory<byte> piece))
        {
            Segment next = isFirst ? _body : new Segment();
            next.Set(piece, index, null);
            if (!isFirst)
            {
                last.Link(next);
            }

            (last, isFirst, index) = (next, false, index + piece.Length);
        }

        return new ReadOnlySequence<byte>(_head, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public void Set(ReadOnlyMemory<byte> memory, long index, Segment? next) =>
            (Memory, RunningIndex, Next) = (memory, index, next);

        public void Link(Segment next) => Next = next;
    }
}
