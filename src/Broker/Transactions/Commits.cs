using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Queues.Feeds;
using Pillarbox.Broker.Shards;
using Pillarbox.Broker.Streams.Writing;
using Pillarbox.Broker.Transactions.Xa;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Transactions;

/// <summary>
/// Ends transactions. A commit is one group in the journal; when that is durable its messages and settlements go to the
/// shards.
/// The connection's.
/// </summary>
internal sealed partial class Commits(BrokerClient client, BrokerServices services, Publications publications)
{
    private readonly Ring<PendingCommit> _pending = new();
    private readonly Queue<(Transaction Transaction, ulong Tag)> _waiting = new();
    private Transaction? _withOffsets;
    private int _preparing;

    /// <summary>Some are appended and have not taken effect yet.</summary>
    public bool HasPending => _pending.Count > 0 || _preparing > 0 || _waiting.Count > 0;

    /// <summary>What the first of those must not be overtaken by; the highest position when there is none.</summary>
    public long OldestPosition => _pending.Count == 0 ? long.MaxValue : _pending[0].Floor;

    /// <summary>Commits, or rolls back; the client is told in its turn.</summary>
    public void Discharge(Transaction transaction, bool fail, ulong tag)
    {
        if (!fail && transaction.Failure is null)
        {
            if (OffsetGate.IsNeeded(transaction))
            {
                if (_withOffsets is not null)
                {
                    // How far a group has come follows from what the transaction before it has settled.
                    _waiting.Enqueue((transaction, tag));
                    return;
                }

                _withOffsets = transaction;
                transaction.Streams ??= new StreamPublications(services.Converter, services.StreamCommits.Rent());
                transaction.Offsets = OffsetGate.Begin(transaction, transaction.Streams.ProducerId, client);
            }

            if (transaction.Streams is not null)
            {
                Prepare(transaction, tag);
                return;
            }
        }

        End(transaction, fail, tag);
    }

    /// <summary>What goes into streams is on disk, though nobody reads it: the journal decides.</summary>
    public void Decide(Transaction transaction, ulong tag)
    {
        _preparing--;
        if (transaction.Branch is { State: XaState.Preparing } preparing)
        {
            client.Xa.OnOffsetsHeld(preparing, tag);
            EndOffsets(transaction);
            return;
        }

        if (transaction.Branch is { Client: null } branch)
        {
            Decide(branch, tag);
            return;
        }

        if (transaction.Offsets is { } offsets)
        {
            transaction.Failure ??= offsets.Failure;
            transaction.Parts = [.. transaction.Parts, .. offsets.Parts];
        }

        End(transaction, fail: false, tag);
    }

    private void Prepare(Transaction transaction, ulong tag)
    {
        StreamPublications streams = transaction.Streams!;
        bool isTaken = streams.Flush();
        transaction.Parts = streams.Parts;
        transaction.Failure ??= streams.Failure ?? (isTaken ? null
            : new BrokerException(BrokerError.TransactionRollback, "the disk takes nothing now: try again"));
        foreach (SpannedPart part in transaction.Parts)
        {
            client.Complete(new Completion
            {
                Kind = CompletionKind.Written,
                Transaction = transaction,
                Partition = part.Partition,
                PartitionNeed = part.DurableAt,
            });
        }

        _preparing++;
        client.Complete(new Completion
        {
            Kind = CompletionKind.Prepared,
            Transaction = transaction,
            Tag = tag,
            Gate = transaction.Offsets,
        });
    }

    private void End(Transaction transaction, bool fail, ulong tag)
    {
        BrokerException? error = fail ? null : transaction.Failure;
        if (fail || error is not null || !TryAppend(transaction, out error))
        {
            RollBack(transaction);
            client.Complete(new Completion
            {
                Kind = CompletionKind.Discharged,
                Transaction = transaction,
                Tag = tag,
                Error = error,
            });
        }
        else
        {
            PendingCommit commit = _pending[_pending.Count - 1];
            client.Complete(new Completion
            {
                Kind = CompletionKind.Discharged,
                Transaction = transaction,
                Tag = tag,
                IsCommit = true,
                Need = commit.End,
            });
        }
    }

    /// <summary>The commit is durable (or the journal failed): it takes effect (or not).</summary>
    public void Conclude(in Completion done)
    {
        TakeEffect(done);
        EndOffsets(done.Transaction!);
    }

    /// <summary>What it had to do with offsets of groups is done: the next transaction has its turn.</summary>
    private void EndOffsets(Transaction transaction)
    {
        if (transaction != _withOffsets)
        {
            return;
        }

        _withOffsets = null;
        client.PostOps();
        if (!_waiting.TryDequeue(out (Transaction Transaction, ulong Tag) next))
        {
            return;
        }

        if (next.Transaction.Branch is { State: XaState.Preparing } branch)
        {
            HoldOffsets(branch, next.Tag);
        }
        else
        {
            Discharge(next.Transaction, fail: false, next.Tag);
        }
    }

    private void TakeEffect(in Completion done)
    {
        if (!done.IsCommit)
        {
            return;
        }

        PendingCommit commit = _pending[0];
        _pending.RemoveOldest();
        Transaction transaction = done.Transaction!;
        if (done.Error is not null && transaction.Branch is { Client: null })
        {
            // What is on disk decides at the next start.
            return;
        }

        if (transaction.Branch is { } branch)
        {
            services.Xa.Remove(branch, !commit.IsRollback, services.NowMs);
        }

        if (done.Error is not null || commit.IsRollback)
        {
            // Whether the journal has decided, the next start finds out: nothing is said to the streams.
            transaction.Parts = [];
            transaction.Streams = null;
            if (done.Error is null)
            {
                EndHeld(transaction.Branch!, isCommit: false);
            }

            RollBack(transaction);
            client.PostOps();
            return;
        }

        EndStreams(transaction, isCommit: true);
        EndHeld(transaction.Branch, isCommit: true);
        foreach (ref PendingPublish publish in transaction.Publishes.Span)
        {
            publications.Route(publish,
                (publish.InJournal ? commit.JournalBase : commit.TransientBase) + publish.Offset);
        }

        services.CountPublished(transaction.Publishes.Count);
        PostSettlements(transaction, OpKind.SettleCommitted);
        client.PostOps();
        transaction.Publishes.Clear();
    }

    private bool TryAppend(Transaction transaction, out BrokerException? error)
    {
        error = null;
        WriteSettlements(transaction);
        WriteDecision(transaction, transaction.Journal);

        PendingCommit commit = new() { Floor = services.Journal.TailPosition };
        try
        {
            if (transaction.Transient.Count > 0)
            {
                commit.TransientBase = services.Transient.Append(transaction.Transient);
            }

            client.Mark.Set(commit.Floor);
            if (transaction.Journal.Count > 0)
            {
                transaction.Journal.Group = true;
                commit.JournalBase = services.Journal.Append(transaction.Journal);
                commit.End = commit.JournalBase + transaction.Journal.Bytes;
            }

            _pending.Add() = commit;
            return true;
        }
        catch (StorageException e)
        {
            Publications.TakeBack(services.Transient, commit.TransientBase, transaction.Publishes);
            error = new BrokerException(BrokerError.TransactionRollback, e.Message);
            return false;
        }
    }

    /// <summary>What it wrote to streams counts, and the journal keeps that until they have heard of it.</summary>
    private void WriteDecision(Transaction transaction, LogBatch batch)
    {
        if (transaction.Parts.Count > 0)
        {
            batch.Begin(RecordKind.StreamsDecided);
            DecidedStreams.Write(batch, transaction.Streams!.ProducerId, transaction.Parts);
            batch.End();
            transaction.Mark = services.Marks.Add();
            transaction.Mark.Set(services.Journal.TailPosition);
        }
    }

    /// <summary>Settlements that other than accept are noted as what they will lead to: a count, or a dead
    /// letter.</summary>
    private void WriteSettlements(Transaction transaction)
    {
        foreach (StagedSettlement staged in transaction.Settlements)
        {
            Delivery delivery = staged.Delivery;
            if ((!delivery.Durable && !delivery.IsRecord) || !delivery.Queue.IsDurable)
            {
                continue;
            }

            LogBatch batch = transaction.Journal;
            OutcomeBits kind = staged.Outcome & OutcomeBits.KindMask;
            if (kind == OutcomeBits.Accepted)
            {
                SettledRecord.Write(batch, delivery.Queue.Id, delivery.MessageId, delivery.Priority);
            }
            else
            {
                WriteAnnotations(batch, staged);
                if (kind == OutcomeBits.Rejected || (staged.Outcome & OutcomeBits.DeliveryFailed) != 0)
                {
                    WriteAttempt(batch, staged, isRejected: kind == OutcomeBits.Rejected);
                }
            }
        }
    }

    /// <summary>They are merged into the message when the commit takes effect, or by the next start.</summary>
    private static void WriteAnnotations(LogBatch batch, in StagedSettlement staged)
    {
        Delivery delivery = staged.Delivery;
        if (staged.Annotations.Length is > 0 and <= Rewrites.AnnotationBytesMax && !delivery.IsRecord)
        {
            batch.Begin(RecordKind.Annotated);
            AnnotationRecord.Write(batch, new AnnotationFields(
                delivery.Queue.Id, delivery.MessageId, delivery.Priority, staged.Annotations));
            batch.End();
        }
    }

    private void WriteAttempt(LogBatch batch, in StagedSettlement staged, bool isRejected)
    {
        Delivery delivery = staged.Delivery;
        int count = Math.Min(delivery.DeliveryCount + 1, ushort.MaxValue);
        long delay = isRejected ? 0 : Redelivery.DelayMs(delivery.Queue.Rules, count, services.Options.Random);
        batch.Begin(RecordKind.AttemptFailed);
        AttemptRecord.Write(batch, new AttemptFields
        {
            QueueId = delivery.Queue.Id,
            MessageId = delivery.MessageId,
            Priority = delivery.Priority,
            Count = (ushort)count,
            Doom = isRejected ? Doom.Rejected : Doom.None,
            Attempt = new FailedAttempt(services.NowMs, client.Info.ClientId,
                staged.Reason ?? (isRejected ? "rejected" : null)),
            DueMs = delay > 0 ? services.NowMs + delay : 0,
        });
        batch.End();
    }

    private void EndStreams(Transaction transaction, bool isCommit)
    {
        if (transaction.Streams is { } streams)
        {
            services.StreamCommits.End(streams.ProducerId, transaction.Parts, isCommit, transaction.Mark);
            transaction.Streams = null;
            transaction.Mark = null;
        }
    }

    private void RollBack(Transaction transaction)
    {
        EndStreams(transaction, isCommit: false);
        transaction.Offsets?.RollBack();
        foreach (ref PendingPublish publish in transaction.Publishes.Span)
        {
            publish.GiveUp();
            if (publish.BlobId != 0)
            {
                services.DeleteBody(publish.BlobId);
            }
        }

        transaction.Publishes.Clear();
        PostSettlements(transaction, OpKind.Unstage);
    }

    private void PostSettlements(Transaction transaction, OpKind kind)
    {
        foreach (StagedSettlement staged in transaction.Settlements)
        {
            if (staged.Delivery is { IsRecord: true, Sequence: StagedEnd.NoSequence })
            {
                client.Op(staged.Delivery.Queue.Shard, OpKind.Work,
                    new StagedEnd(staged.Delivery, staged.Outcome, staged.Reason, kind));
                continue;
            }

            if (kind == OpKind.SettleCommitted && !staged.Annotations.IsEmpty)
            {
                client.Op(staged.Delivery.Queue.Shard, OpKind.Work,
                    new AnnotationMerge(staged.Delivery, staged.Annotations));
            }

            ref ShardOp op = ref client.Op(staged.Delivery.Queue.Shard, kind, staged.Delivery.Consumer);
            SettleOp.Fill(ref op, staged.Delivery, staged.Outcome, staged.Reason);
        }

        transaction.Settlements.Clear();
    }

    private struct PendingCommit
    {
        public long Floor;
        public long JournalBase;
        public long TransientBase;
        public long End;

        /// <summary>A prepared branch is rolled back: its record is on disk first, too.</summary>
        public bool IsRollback;
    }
}
