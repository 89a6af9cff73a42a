using System.Buffers;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Writing;
using Pillarbox.Broker.Transactions;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// The messages that a client published in one pass: written into a batch per log, appended once, then handed to the
/// shards. When the disk takes nothing now they wait here: their number is bounded by the producers' credit, their
/// bytes by <see cref="BrokerOptions.StalledBytesMax"/>. The connection's.
/// </summary>
internal sealed class Publications(BrokerClient client, BrokerServices services)
{
    private readonly Buffer<PendingPublish> _pending = new();
    private readonly StreamPublications _streams = new(services.Converter);
    private LogBatch? _journal;
    private LogBatch? _transient;

    /// <summary>Some wait for the disk to take them.</summary>
    public bool IsStalled { get; private set; }

    /// <summary>So many wait that no more should come, until the disk has caught up.</summary>
    public bool IsBehind => IsOverfull && services.Journal.SpaceState != SpaceState.Full;

    private bool IsOverfull => IsStalled && WaitingBytes > services.Options.StalledBytesMax;

    private long WaitingBytes => (_journal?.Bytes ?? 0) + (_transient?.Bytes ?? 0) + _streams.Bytes;

    /// <summary>Why nothing more is taken in; null: it is. A full disk stays full until consumers have made room, and
    /// they may be on this connection: it goes on, and its messages are refused.</summary>
    public BrokerException? Refusal => IsOverfull && services.Journal.SpaceState == SpaceState.Full
        ? new BrokerException(BrokerError.ResourceLimitExceeded, "the disk is full: free space or add some")
        : null;

    /// <summary>When the address has a stream, takes a message in for it, once for all queues that read it; or says why
    /// not. <see cref="Add"/> comes next.</summary>
    public BrokerException? Keep(
        AddressNode node, in MessageHead head, in ReadOnlySequence<byte> payload, Transaction? transaction,
        ref PendingPublish publish)
    {
        int? partition = publish.Producer.Partition;
        if (publish.Producer.Queue is not null
            || node.StreamIn(services.Streams[client.Space.Name]) is not { } stream)
        {
            return null;
        }

        BrokerException? refusal = head.BlobId == 0 ? null : new BrokerException(
            BrokerError.ResourceLimitExceeded,
            $"stream '{stream.Name}' takes messages of at most {stream.Config.BatchBytesMax} bytes");
        if (refusal is not null)
        {
            return refusal;
        }

        StreamPublications streams = transaction is null ? _streams
            : transaction.Streams ??= new StreamPublications(services.Converter, services.StreamCommits.Rent());
        ulong publisher = publish.Producer.SignsRecords ? head.Publisher : 0;
        return streams.TryAdd(stream, partition, head, publisher, payload, out publish.Kept);
    }

    /// <summary>A message that only a stream keeps.</summary>
    public void AddKept(ref PendingPublish publish)
    {
        publish.Offset = -1;
        _pending.Add() = publish;
    }

    /// <summary>Writes a message into the batch of its log, or into its transaction.</summary>
    public void Add(ref PendingPublish publish, in MessageHead head, in Targets targets,
        in ReadOnlySequence<byte> payload, Transaction? transaction)
    {
        publish.InJournal = head.Header.Durable && targets.DurableIds.Length > 0;
        publish.IsDurable = head.Header.Durable;
        publish.Single = targets.Single;
        publish.Many = targets.Many;
        publish.BlobId = head.BlobId;
        LogBatch batch = transaction is null
            ? publish.InJournal ? _journal ??= new LogBatch() : _transient ??= new LogBatch()
            : publish.InJournal ? transaction.Journal : transaction.Transient;
        batch.Begin(RecordKind.Message);
        MessageHead written = publish.InJournal
            ? head with { Producer = publish.Memory, ProducerNumber = publish.Number } : head;
        MessageRecord.WriteHead(batch, written, publish.InJournal ? targets.DurableIds.Span : default);
        if (head.BlobId == 0)
        {
            batch.Write(payload);
        }

        // Counted with the append itself: the transient log may let go of a block that nothing refers to.
        publish.Offset = batch.End(targets.Single is not null ? 1 : targets.Many!.Length);
        publish.RecordBytes = batch.Bytes - publish.Offset - RecordFormat.HeaderBytes;
        (transaction?.Publishes ?? _pending).Add() = publish;
    }

    /// <summary>One that goes nowhere, but is told in its turn.</summary>
    public void AddEmpty(Producer producer, ulong tag, BrokerException? error, bool isUnrouted = false) =>
        _pending.Add() = new PendingPublish
        {
            Producer = producer,
            Tag = tag,
            Offset = -1,
            Error = error,
            IsUnrouted = isUnrouted,
        };

    /// <summary>One that the journal has already: told when all that it has now is on disk.</summary>
    public void AddRepeated(Producer producer, ulong tag) => _pending.Add() = new PendingPublish
    {
        Producer = producer,
        Tag = tag,
        Offset = -1,
        Need = services.Journal.TailPosition,
    };

    /// <summary>Appends what was collected; false when it must wait. <paramref name="isAwaited"/>: the caller asks next
    /// when it is durable.</summary>
    public bool Flush(bool isAwaited = false)
    {
        if (_pending.Count == 0)
        {
            return true;
        }

        client.Mark.Set(services.Journal.TailPosition);
        // The transient log first: should the journal refuse then, the copies there are let go and appended anew later.
        long journalBase = 0;
        if (!_streams.Flush())
        {
            IsStalled = true;
            return false;
        }

        if (!TryAppend(_transient, services.Transient, false, out long transientBase, out BrokerException? failure) ||
            !TryAppend(_journal, services.Journal, isAwaited, out journalBase, out failure))
        {
            TakeBack(services.Transient, transientBase, _pending);
            IsStalled = failure is null;
            if (failure is not null)
            {
                Refuse(failure);
            }

            return failure is not null;
        }

        IsStalled = false;
        long need = journalBase == 0 ? 0 : journalBase + _journal!.Bytes;
        int routed = 0;
        foreach (ref PendingPublish publish in _pending.Span)
        {
            if (publish.Offset >= 0)
            {
                Route(publish, (publish.InJournal ? journalBase : transientBase) + publish.Offset);
            }

            routed += publish.Offset >= 0 || publish.Kept is not null ? 1 : 0;
            Complete(publish, publish.InJournal ? need : publish.Need);
        }

        services.CountPublished(routed);
        Clear();
        return true;
    }

    /// <summary>Lets go of what was appended to the transient log (position 0: nothing was) and is not handed
    /// on.</summary>
    public static void TakeBack(SegmentedLog transient, long position, Buffer<PendingPublish> publishes)
    {
        if (position == 0)
        {
            return;
        }

        foreach (ref PendingPublish publish in publishes.Span)
        {
            int references = publish.InJournal || publish.Offset < 0 ? 0
                : publish.Single is not null ? 1 : publish.Many!.Length;
            for (int i = 0; i < references; i++)
            {
                transient.ReleaseReference(position + publish.Offset, publish.RecordBytes);
            }
        }
    }

    private void Complete(in PendingPublish publish, long need)
    {
        Completion completion = new()
        {
            Kind = CompletionKind.Published,
            Producer = publish.Producer,
            Tag = publish.Tag,
            Need = need,
            Error = publish.Error,
            IsUnrouted = publish.IsUnrouted,
        };
        if (publish.Kept is { } kept)
        {
            completion.Error ??= StreamPublications.ErrorOf(kept.Result);
            completion.Partition = completion.Error is null ? kept.Partition : null;
            completion.PartitionNeed = kept.Result.DurableAt;
        }

        client.Complete(completion);
    }

    /// <summary>Hands one appended message to the shards of its queues.</summary>
    public void Route(in PendingPublish publish, long position)
    {
        if (publish.InJournal)
        {
            publish.Memory?.Advance(publish.Number);
        }

        if (publish.BlobId != 0)
        {
            int references = publish.Single is not null ? 1 : publish.Many!.Length;
            services.Large.Add(position, publish.InJournal, publish.BlobId, references);
        }

        if (publish.Single is not null)
        {
            Fill(ref client.OpFor(publish.Single.Shard), publish, publish.Single, position);
            return;
        }

        foreach (Queue queue in publish.Many!)
        {
            Fill(ref client.OpFor(queue.Shard), publish, queue, position);
        }
    }

    private static void Fill(ref ShardOp op, in PendingPublish publish, Queue queue, long position)
    {
        op.Kind = OpKind.Enqueue;
        op.Approached = true;
        op.MayDrop = !publish.IsDurable;
        op.Queue = queue;
        op.Id = position;
        op.Position = position;
        op.RecordBytes = publish.RecordBytes;
        op.Priority = publish.Priority;
        op.DeliveryCount = 0;
        op.TimeMs = publish.ExpiresAtMs;
        op.DueMs = publish.DeliverAtMs;
        op.Group = publish.Group;
        op.EntryFlags = (publish.InJournal ? EntryFlags.InJournal : 0) | (publish.BlobId != 0 ? EntryFlags.Large : 0);
        if (publish.Tag != 0 && publish.Producer is { Options.TellsGone: true, IsClosed: false })
        {
            op.Subject = publish.Producer;
            op.Tag = publish.Tag;
        }
    }

    private static bool TryAppend(
        LogBatch? batch, SegmentedLog log, bool isAwaited, out long position, out BrokerException? failure)
    {
        position = 0;
        failure = null;
        if (batch is null || batch.Count == 0)
        {
            return true;
        }

        try
        {
            position = log.Append(batch, isAwaited);
            return true;
        }
        catch (StorageException e) when (e is StorageFullException or StorageBusyException)
        {
            return false;
        }
        catch (StorageException e)
        {
            failure = new BrokerException(BrokerError.Unavailable, e.Message);
            return false;
        }
    }

    /// <summary>The client has gone: what still waits for the disk was never acknowledged, and is forgotten.</summary>
    public void Abandon()
    {
        foreach (ref PendingPublish publish in _pending.Span)
        {
            publish.GiveUp();
        }

        Clear();
    }

    private void Refuse(BrokerException failure)
    {
        foreach (ref PendingPublish publish in _pending.Span)
        {
            if (publish is { Kept: not null, Offset: < 0 })
            {
                // Only its stream has it, and that has had its say.
                Complete(publish, publish.Need);
                continue;
            }

            publish.GiveUp();
            client.Complete(new Completion
            {
                Kind = CompletionKind.Published,
                Producer = publish.Producer,
                Tag = publish.Tag,
                Error = publish.Error ?? failure,
            });
        }

        Clear();
    }

    private void Clear()
    {
        _pending.Clear();
        _streams.Clear();
        _journal?.Clear();
        _transient?.Clear();
    }
}
