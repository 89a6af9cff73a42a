using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// What one client must be told: deliveries from the shards, what became durable in the order in which it was asked
/// for, and
/// credit. Any thread hands in; the connection's loop tells.
/// </summary>
internal sealed class ClientReports(BrokerClient client, BrokerServices services, Commits commits, IWakeable wakeable)
    : IDurableWaiter
{
    /// <summary>With more under way than this the connection has better things to do than to wait for the
    /// disk.</summary>
    private const int LendingCompletionsMax = 4;

    private readonly Inbox<ClientEvent> _inbox = new();
    private readonly Ring<Completion> _completions = new();
    private readonly List<Producer> _due = [];
    private ClientEvent[] _taken = [];
    private int _takenAt;
    private int _takenCount;
    private volatile int _signal;
    private volatile bool _isAwaiting;
    private volatile bool _isFailed;
    private volatile bool _isCreditWithheld;
    private bool _toldFailure;

    /// <summary>Whether there is something to tell. Any thread.</summary>
    public bool HasEvents =>
        _inbox.HasItems || _signal != 0 || _takenAt < _takenCount || CanComplete
            || (_due.Count > 0 && !_isCreditWithheld);

    /// <summary>Producers wait for the disk or for room. Any thread.</summary>
    public bool IsCreditWithheld => _isCreditWithheld;

    private bool CanComplete => _completions.Count > 0
        && (_isFailed || IsDurable(_completions[0]));

    /// <summary>Something to tell when the journal is durable so far.</summary>
    public void Complete(in Completion completion) => _completions.Add() = completion;

    /// <summary>Tells what has come back, at most <paramref name="max"/> events; true when more remain.</summary>
    public bool Tell(IClientEvents events, int max)
    {
        _signal = 0;
        int left = TellInbox(events, max);
        left = TellCompletions(events, left);
        TellCredit(events);
        if (_isFailed && !_toldFailure)
        {
            _toldFailure = true;
            events.OnCloseRequested(new BrokerException(BrokerError.Unavailable, "the node's journal failed"));
        }

        AwaitDurable();
        return left <= 0 && HasEvents;
    }

    /// <summary>Takes what a shard has for it. Any thread.</summary>
    public void Receive(ReadOnlySpan<ClientEvent> events)
    {
        _inbox.Add(events);
        wakeable.Wake();
    }

    /// <summary>Makes the connection look again. Any thread.</summary>
    public void Poke()
    {
        _signal = 1;
        wakeable.Wake();
    }

    /// <inheritdoc/>
    void IDurableWaiter.OnDurable(long durablePosition)
    {
        _isAwaiting = false;
        Poke();
    }

    /// <inheritdoc/>
    void IDurableWaiter.OnFailed(StorageFailedException failure)
    {
        _isFailed = true;
        Poke();
    }

    /// <summary>A settlement that needs no disk.</summary>
    public void CompleteSettled(ulong tag)
    {
        if (tag != 0)
        {
            Complete(new Completion { Kind = CompletionKind.Settled, Tag = tag });
        }
    }

    /// <summary>Asks the journal to say when the next completion can be told.</summary>
    public void AwaitDurable()
    {
        if (_completions.Count == 0 || _isAwaiting || _isFailed)
        {
            return;
        }

        // Looked at once: it moves meanwhile. What is durable by now is told in the next round.
        ref Completion first = ref _completions[0];
        if (first.Gate is { IsOpen: false })
        {
            return;
        }

        if (first.Need > services.Journal.DurablePosition)
        {
            _isAwaiting = true;
            services.Journal.WhenDurable(first.Need, this, _completions.Count <= LendingCompletionsMax);
        }
        else if (first.Partition is { } partition && !partition.IsDurable(first.PartitionNeed))
        {
            _isAwaiting = true;
            partition.WhenDurable(first.PartitionNeed, this);
        }
    }

    private bool IsDurable(in Completion completion) => completion.Need <= services.Journal.DurablePosition
        && completion.Gate is not { IsOpen: false }
        && (completion.Partition is not { } partition || partition.IsDurable(completion.PartitionNeed));

    private int TellInbox(IClientEvents events, int max)
    {
        while (max > 0)
        {
            if (_takenAt == _takenCount)
            {
                _takenAt = 0;
                _takenCount = 0;
                if (!_inbox.HasItems)
                {
                    Inbox<ClientEvent>.GiveBack(ref _taken);
                    break;
                }

                if (!_inbox.TryTake(ref _taken, out _takenCount))
                {
                    break;
                }
            }

            Tell(events, _taken[_takenAt]);
            _taken[_takenAt++] = default;
            max--;
        }

        return max;
    }

    private void Tell(IClientEvents events, in ClientEvent told)
    {
        switch (told.Kind)
        {
            case EventKind.Delivery:
                if (!told.Delivery.Consumer.IsClosed)
                {
                    events.OnDelivery(told.Delivery);
                }

                break;
            case EventKind.Drained:
                events.OnDrained((Consumer)told.Subject!, (int)Math.Min(told.Number, int.MaxValue));
                break;
            case EventKind.Settled:
                Complete(new Completion { Kind = CompletionKind.Settled, Tag = told.Tag, Need = told.Number });
                break;
            case EventKind.ConsumerClosed:
                if (client.Forget((Consumer)told.Subject!))
                {
                    events.OnConsumerClosed((Consumer)told.Subject!, told.Error!);
                }

                break;
            case EventKind.Reclaimed:
                if (!((Consumer)told.Subject!).IsClosed)
                {
                    events.OnReclaimed((Consumer)told.Subject);
                }

                break;
            case EventKind.ProducerClosed:
                TellProducersClosed(events, told.Subject, told.Error!);
                break;
            case EventKind.QueueMade:
                if (!((QueueWatch)told.Subject!).IsEnded)
                {
                    events.OnQueueMade((QueueWatch)told.Subject, told.Name!);
                }

                break;
            case EventKind.NameMade or EventKind.NameGone:
                if (!((QueueWatch)told.Subject!).IsEnded)
                {
                    events.OnNameChanged((QueueWatch)told.Subject, new NameChange(
                        told.Name!, (RoutingType)told.Number, told.Kind == EventKind.NameGone));
                }

                break;
            default:
                events.OnCloseRequested(told.Error!);
                break;
        }
    }

    private void TellProducersClosed(IClientEvents events, object? node, BrokerException reason)
    {
        foreach (Producer producer in client.ProducersTo(node))
        {
            client.CloseProducer(producer);
            events.OnProducerClosed(producer, reason);
        }
    }

    /// <summary>Tells what is complete; without a listener only takes effect.</summary>
    public int TellCompletions(IClientEvents? events, int max)
    {
        while (max > 0 && CanComplete)
        {
            Completion done = _completions[0];
            _completions.RemoveOldest();
            max--;
            if (_isFailed && !IsDurable(done))
            {
                done.Error ??= new BrokerException(BrokerError.Unavailable, "the node's journal failed");
            }

            switch (done.Kind)
            {
                case CompletionKind.Published:
                    TellPublished(events, done);
                    break;
                case CompletionKind.Settled:
                    if (done.Error is null)
                    {
                        events?.OnSettled(done.Tag);
                    }

                    break;
                case CompletionKind.Written:
                    done.Transaction!.Failure ??= done.Error;
                    break;
                case CompletionKind.Prepared:
                    commits.Decide(done.Transaction!, done.Tag);
                    break;
                default:
                    commits.Conclude(done);
                    events?.OnDischarged(done.Transaction!, done.Tag, done.Error);
                    break;
            }
        }

        return max;
    }

    private void TellPublished(IClientEvents? events, in Completion done)
    {
        Producer producer = done.Producer!;
        producer.Outstanding--;
        Due(producer);
        if (done.Tag != 0 && done is { IsUnrouted: true, Error: null })
        {
            events?.OnUnrouted(producer, done.Tag);
        }
        else if (done.Tag != 0)
        {
            events?.OnPublished(producer, done.Tag, done.Error);
        }
    }

    /// <summary>A producer may be due credit.</summary>
    public void Due(Producer producer)
    {
        if (!producer.CreditDue && !producer.IsClosed)
        {
            producer.CreditDue = true;
            _due.Add(producer);
        }
    }

    /// <summary>Gives credit back in lots of a quarter, unless the disk or the address is full.</summary>
    private void TellCredit(IClientEvents events)
    {
        bool withheld = false;
        for (int i = _due.Count - 1; i >= 0; i--)
        {
            Producer producer = _due[i];
            int window = services.Options.ProducerCredit;
            int credit = window - producer.Granted - producer.Outstanding;
            bool worthIt = credit >= Math.Max(1, window / 4) || (producer.Granted == 0 && credit > 0);
            if (!producer.IsClosed && worthIt && services.HoldsBack(producer.Node))
            {
                withheld = true;
                continue;
            }

            producer.CreditDue = false;
            _due.RemoveAt(i);
            if (!producer.IsClosed && worthIt)
            {
                producer.Granted += credit;
                events.OnProducerCredit(producer, credit);
            }
        }

        _isCreditWithheld = withheld;
    }
}
