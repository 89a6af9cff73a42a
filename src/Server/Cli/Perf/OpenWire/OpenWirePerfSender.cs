using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Server.Cli.Perf.Messaging;

namespace Pillarbox.Server.Cli.Perf.OpenWire;

/// <summary>Sends as fast as answers come back; without answers, as fast as the connection takes it.</summary>
internal sealed class OpenWirePerfSender : IMessagingSender
{
    private const long WaitNanosecondsMax = 50_000_000;
    private const int UnsentBytesMax = 256 << 10;
    private const byte DefaultPriority = 4;

    private readonly OpenWirePerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly SendingPhase _phase;
    private readonly OpenWireLink _link;
    private readonly byte[] _body;
    private readonly Message _message;
    private readonly MessageId _messageId;
    private readonly Queue<(int Command, long At)> _asked = new();
    private LocalTransactionId? _transaction;
    private int _inTransaction;
    private long _transactions;
    private long _sent;

    public OpenWirePerfSender(OpenWirePerfOptions options, PerfSchedule schedule, int index)
    {
        (_options, _schedule, _phase) = (options, schedule, schedule.BeginSending());
        _link = new OpenWireLink(options, $"s{index}");
        _body = new byte[options.BodyBytes];
        PerfBody.Fill(_body, index);
        var id = new ProducerId { Connection = _link.Connection.Value, Session = _link.Session.Value, Value = 1 };
        Destination destination = options.ToDestination();
        _link.Ask(new ProducerInfo { ProducerId = id, Destination = destination });
        _messageId = new MessageId { Producer = id };
        _message = new Message(DataType.BytesMessage)
        {
            ProducerId = id,
            Destination = destination,
            MessageId = _messageId,
            Persistent = options.Durable,
            Priority = DefaultPriority,
            Content = _body,
        };
    }

    /// <inheritdoc/>
    public PerfHistogram Acknowledged { get; } = new();

    /// <inheritdoc/>
    public long Measured { get; private set; }

    /// <summary>How often it waited, while it was to send, though it waited for no answer and had nothing under
    /// way.</summary>
    public int Pauses { get; private set; }

    private bool CanSend => _link.Unsent < UnsentBytesMax && _asked.Count < AskedMax;

    private int AskedMax => _options.Transaction > 0 ? 1 : _options.InFlight;

    /// <inheritdoc/>
    public void Run()
    {
        while (!_schedule.IsStopped)
        {
            bool isOver = _phase.IsOver(Clock.Now);
            if (isOver && _transaction is not null && _asked.Count == 0)
            {
                Commit(Clock.Now);
            }

            if (isOver && _link.Unsent == 0 && _asked.Count == 0)
            {
                return;
            }

            long sentBefore = _sent;
            while (!isOver && CanSend)
            {
                Send(Clock.Now);
            }

            _schedule.AddSent(_sent - sentBefore);
            // Before it asks whether there is room: messages that are not answered have nothing else to wait for.
            _link.Flush();
            int idleBefore = _link.IdleWaits;
            _link.Wait(!isOver && CanSend ? 0 : WaitNanosecondsMax);
            Pauses += isOver || _asked.Count > 0 ? 0 : _link.IdleWaits - idleBefore;
            TakeAnswers();
        }
    }

    public void Dispose() => _link.Dispose();

    private void Send(long now)
    {
        if (_options.Transaction > 0 && _transaction is null)
        {
            _transaction = new LocalTransactionId { Connection = _link.Connection, Value = ++_transactions };
            _link.Write(Step(TransactionStep.Begin), asks: false);
        }

        PerfBody.Stamp(_body, now, _sent);
        _messageId.ProducerSequence = ++_sent;
        _message.TransactionId = _transaction;
        int command = _link.Write(_message, asks: _options.IsAnswered);
        if (_options.IsAnswered)
        {
            _asked.Enqueue((command, now));
        }

        Measured += _schedule.IsMeasured(now) ? 1 : 0;
        if (_transaction is not null && ++_inTransaction == _options.Transaction)
        {
            Commit(now);
        }
    }

    private void Commit(long now)
    {
        _asked.Enqueue((_link.Write(Step(TransactionStep.CommitOnePhase), asks: true), now));
        _transaction = null;
        _inTransaction = 0;
    }

    private TransactionInfo Step(TransactionStep step) => new()
    {
        ConnectionId = _link.Connection,
        TransactionId = _transaction,
        Step = (byte)step,
    };

    private void TakeAnswers()
    {
        long now = Clock.Now;
        while (_link.TryTake(out IDataStructure? command))
        {
            if (command is Response response && _asked.TryPeek(out (int Command, long At) first)
                && response.CorrelationId == first.Command)
            {
                _asked.Dequeue();
                if (_schedule.IsMeasured(now))
                {
                    Acknowledged.Record(now - first.At);
                }
            }
        }
    }
}
