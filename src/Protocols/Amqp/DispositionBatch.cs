using System.Buffers;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// Dispositions that the node sends on one session in one role. Consecutive deliveries that are accepted alike go out
/// as one range
/// (part 2 section 2.7.6).
/// </summary>
internal sealed class DispositionBatch(AmqpSession session, Role role)
{
    private uint _first;
    private uint _last;
    private bool _settled;
    private bool _any;

    /// <summary>Accepted; waits for <see cref="Flush"/>.</summary>
    public void Accept(uint id, bool settled)
    {
        if (_any && _settled == settled && id == _last + 1)
        {
            _last = id;
            return;
        }

        Flush();
        _any = true;
        _first = id;
        _last = id;
        _settled = settled;
        session.Connection.Owed.OweDispositions(session);
    }

    /// <summary>Rejected, and settled.</summary>
    public void Reject(uint id, AmqpError error)
    {
        var writer = new AmqpWriter(new ArrayBufferWriter<byte>());
        new Rejected { Error = error }.Write(ref writer);
        if (writer.Position + ConnectionEndpoint.FrameRestBytes > session.Connection.PeerFrameBytesMax)
        {
            writer = new AmqpWriter(new ArrayBufferWriter<byte>());
            new Rejected { Error = error.WithoutText() }.Write(ref writer);
        }

        Write(id, settled: true, writer.Written);
    }

    /// <summary>Accepted provisionally: final when the transaction commits (part 4 section 4.4.1).</summary>
    public void AcceptInTransaction(uint id, LocalTransaction transaction, bool settled)
    {
        Span<byte> buffer = stackalloc byte[64];
        var writer = new AmqpWriter(buffer);
        new TransactionalState { TxnId = transaction.TxnId, Outcome = DeliveryState.Accepted }.Write(ref writer);
        Write(id, settled, writer.Written);
    }

    /// <summary>Any state, at once.</summary>
    public void Write(uint id, bool settled, ReadOnlySpan<byte> state)
    {
        Flush();
        session.WriteDisposition(new Disposition { Role = role, First = id, Settled = settled, State = state });
    }

    /// <summary>Writes what waits.</summary>
    public void Flush()
    {
        if (!_any)
        {
            return;
        }

        _any = false;
        session.WriteDisposition(new Disposition
        {
            Role = role,
            First = _first,
            Last = _last == _first ? null : _last,
            Settled = _settled,
            State = DeliveryState.Accepted,
        });
    }
}
