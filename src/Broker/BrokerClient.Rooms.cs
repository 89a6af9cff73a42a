using System.Buffers;
using System.Globalization;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Transactions;

namespace Pillarbox.Broker;

/// <content>What the broker's own rooms use of it.</content>
public sealed partial class BrokerClient
{
    private TaskCompletionSource? _ended;

    /// <summary>What shards collect for this client, one per shard, each the shard's own.</summary>
    internal Buffer<ClientEvent>?[] Outboxes { get; }

    internal AppendMark Mark { get; }

    internal long SinceMs { get; }

    /// <summary>Unique on the node.</summary>
    internal string Id => Number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The same, to find it by.</summary>
    internal long Number { get; init; }

    /// <summary>What <see cref="MessageLease.Publisher"/> says of messages that this client published.</summary>
    public ulong PublisherHash => _publisherHash;

    /// <summary>The same of any client, by its id.</summary>
    public static ulong PublisherHashOf(string clientId)
    {
        ulong hash = 14695981039346656037UL;
        foreach (char c in clientId)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return hash | 1;
    }

    internal int ProducerCount => _producers.Count;

    internal int ConsumerCount => _consumers.Count;

    internal AddressSpace Space => _space;

    /// <summary>Producers wait for the disk or for room; any thread.</summary>
    internal bool IsHeldBack => _reports.IsCreditWithheld || _publications.IsStalled;

    /// <summary>Takes what a shard has for it. Any thread.</summary>
    internal void Receive(ReadOnlySpan<ClientEvent> events) => _reports.Receive(events);

    /// <summary>Makes the connection look again. Any thread.</summary>
    internal void Poke() => _reports.Poke();

    /// <summary>Branches of it were not prepared in time. Any thread.</summary>
    internal void OnXaTimedOut()
    {
        _isXaTimedOut = true;
        Poke();
    }

    /// <summary>A transaction is prepared: it no longer goes with the connection.</summary>
    internal void Release(Transaction transaction) => _transactions.Remove(transaction);

    /// <summary>The core closed a consumer: it counts no longer. False when the connection had closed it
    /// already.</summary>
    internal bool Forget(Consumer consumer)
    {
        if (consumer.IsClosed)
        {
            return false;
        }

        consumer.IsClosed = true;
        _consumers.Remove(consumer);
        if (consumer.Options.Stream is null)
        {
            _space.Leave(consumer.Queue);
        }

        return true;
    }

    /// <summary>The producers that publish to an address, as a copy.</summary>
    internal Producer[] ProducersTo(object? node) => [.. _producers.Where(producer => producer.Node == node)];

    /// <summary>After the connection has gone: lets commits under way take effect. True when there are none
    /// left.</summary>
    internal bool Linger()
    {
        _reports.TellCompletions(null, int.MaxValue);
        PostOps();
        return !_commits.HasPending;
    }

    /// <summary>It is gone, and has commits under way.</summary>
    internal void BeginLingering() => _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the last of them has taken effect. Any thread.</summary>
    internal Task Ended => _ended!.Task;

    /// <summary>It has.</summary>
    internal void HasEnded() => _ended!.TrySetResult();

    internal void Complete(in Completion completion) => _reports.Complete(completion);

    /// <summary>Room for an op that is posted at the next flush.</summary>
    internal ref ShardOp OpFor(Shard shard) => ref _ops.For(shard);

    internal ref ShardOp Op(Shard shard, OpKind kind, object subject)
    {
        ref ShardOp op = ref OpFor(shard);
        op.Kind = kind;
        op.Subject = subject;
        return ref op;
    }

    /// <summary>Hands the collected ops to their shards.</summary>
    internal void PostOps()
    {
        _ops.Post();
        if (!_publications.IsStalled)
        {
            Mark.MoveTo(_commits.OldestPosition);
        }
    }

    /// <summary>Routes and collects one message; large ones have their body in a file already.</summary>
    internal BrokerException? PublishHead(
        Producer producer, MessageHead head, in ReadOnlySequence<byte> payload, long bodyBytes, ulong tag, string? to,
        Transaction? transaction)
    {
        producer.Outstanding++;
        producer.Granted = Math.Max(0, producer.Granted - 1);
        PendingPublish publish = new()
        {
            Producer = producer,
            Tag = tag,
            Priority = Math.Min(head.Header.Priority, (byte)9),
        };
        (publish.Memory, publish.Number) = producer.TakeNumber();
        BrokerException? refusal = _names.Route(producer, to, bodyBytes, out AddressNode? node);
        refusal ??= transaction is null ? _publications.Refusal : CheckTransaction(transaction, payload.Length);
        Targets targets = default;
        if (refusal is null)
        {
            long nowMs = _passMs != 0 ? _passMs : _passMs = _services.NowMs;
            long expires = head.Header.ExpiresAtMs == 0 && node!.Settings.ExpiryDelayMs >= 0
                ? nowMs + node.Settings.ExpiryDelayMs
                : head.Header.ExpiresAtMs;
            head = head with
            {
                Address = node!.NameUtf8,
                Header = head.Header with { PublishedAtMs = nowMs, ExpiresAtMs = expires },
            };
            publish.ExpiresAtMs = expires;
            publish.DeliverAtMs = head.Header.DeliverAtMs;
            publish.Group = head.Header.Group;
            refusal = _publications.Keep(node, head, payload, transaction, ref publish)
                ?? _names.TryTarget(producer, node, publish.Kept is not null, head.Header, payload, out targets);
        }

        if (refusal is not null || (targets.IsEmpty && publish.Kept is null))
        {
            _publications.AddEmpty(producer, tag, refusal, isUnrouted: refusal is null);
            return refusal;
        }

        if (transaction is not null)
        {
            // It is in the transaction's own batches.
            publish.Kept = null;
        }

        if (targets.IsEmpty && transaction is null)
        {
            _publications.AddKept(ref publish);
            return null;
        }

        if (targets.IsEmpty)
        {
            _publications.AddEmpty(producer, tag, null);
            return null;
        }

        _publications.Add(ref publish, head, targets, payload, transaction);
        if (transaction is not null)
        {
            _publications.AddEmpty(producer, tag, null);
        }

        return null;
    }

    private StreamCatalog Catalog => _services.Streams[_space.Name];

    /// <summary>One that the disk did not take: told in its turn. Its transaction can only roll back.</summary>
    internal void RefusePublish(Producer producer, ulong tag, BrokerException refusal, Transaction? transaction)
    {
        producer.Outstanding++;
        producer.Granted = Math.Max(0, producer.Granted - 1);
        if (transaction is not null)
        {
            transaction.Failure ??= refusal;
        }

        _publications.AddEmpty(producer, tag, refusal);
    }

    private void Keep(Queue? temporary)
    {
        if (temporary is not null)
        {
            _temporaries.Add(temporary);
        }
    }

    private void Stage(Transaction transaction, in StagedSettlement staged)
    {
        if (CheckTransaction(transaction, staged.Bytes) is null)
        {
            transaction.StagedBytes += staged.Bytes;
            transaction.Settlements.Add(staged);
            SettleOp.Fill(
                ref Op(staged.Delivery.Queue.Shard, OpKind.Stage, staged.Delivery.Consumer), staged.Delivery,
                staged.Outcome, null);
        }
    }

    private BrokerException? CheckTransaction(Transaction transaction, long bytes)
    {
        if (transaction.Bytes + bytes > _services.Options.TransactionBytesMax)
        {
            transaction.IsOverfull = true;
            transaction.Failure ??= new BrokerException(
                BrokerError.TransactionRollback,
                $"the transaction holds more than {_services.Options.TransactionBytesMax} bytes and was rolled back");
            return transaction.Failure;
        }

        return null;
    }
}
