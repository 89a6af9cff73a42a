using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Transactions;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Sending;

/// <summary>
/// SEND (1.2, "SEND"): a publish; its receipt leaves when the message is on disk. One to several destinations is a
/// transaction: all of them get it, or none. Used by the connection's loop alone.
/// </summary>
internal sealed class Sends(
    BrokerClient client, StompOptions options, SessionLife life, FrameReceipt receipt, TransactionTable transactions,
    TemporaryDestinations temporaries)
{
    private const int ScratchBytesKept = 64 << 10;

    /// <summary>A kept header block is read with the first piece of a large body: it is not longer than that.</summary>
    private const int KeptBytesMax = 48 << 10;

    private readonly TargetFinder _targets = new(client, options, temporaries);
    private readonly ReceiptQueue _receipts = new();
    private readonly PayloadSequence _payload = new();
    private ByteBuilder _kept;
    private ByteBuilder _told;
    private SendTarget? _needsCredit;
    private LargeSend? _large;
    private ulong _lastTag;
    private ulong _lastDone;

    /// <summary>The disk is behind with a large body: the loop awaits it and calls <see cref="Resume"/>.</summary>
    public Task? Gate { get; private set; }

    /// <summary>Whether input waits: for credit, for the disk, or for receipts to leave.</summary>
    public bool IsHeldBack => _needsCredit is not null || Gate is not null || _receipts.Count >= options.ReceiptsMax;

    /// <summary>In the middle of a large body.</summary>
    public bool IsMidMessage => _large is not null;

    /// <summary>Whether everything that was sent is done.</summary>
    public bool IsDone => _lastDone == _lastTag;

    /// <summary>Takes a frame; of a large one the body follows by <see cref="TakePiece"/>. False: it has to wait for
    /// credit.</summary>
    /// <exception cref="StompException">It is no message, or cannot go where it is to go.</exception>
    /// <exception cref="BrokerException">It may not go there.</exception>
    public bool Take(in FrameHead frame, in ReadOnlySequence<byte> body, bool isLarge, long nowMs)
    {
        _kept.Clear(ScratchBytesKept);
        _kept.Append(StompMessageMap.Text);
        SendFields fields = StompMessageMap.Read(frame, life.Version, ref _kept);
        if (fields.HasReceipt)
        {
            receipt.Keep(fields.Receipt, life.Version);
        }

        SendTarget? target = _targets.Find(fields, life.Version, out List<SendTarget>? all);
        _needsCredit = target is { Credit: <= 0 } ? target : all?.Find(one => one.Credit <= 0);
        if (_needsCredit is not null)
        {
            return false;
        }

        Transaction? transaction = fields.HasTransaction
            ? transactions.Find(HeaderText.Decode(fields.Transaction, life.Version)) : null;
        if (target is null)
        {
            TakeForAll(all!, fields, body, isLarge, transaction, nowMs);
            return true;
        }

        FinishHead(fields, target);
        MessageHeader header = StompMessageMap.HeaderOf(fields, life.Version, nowMs);
        if (isLarge)
        {
            _large = new LargeSend(header, transaction, receipt.ToArray());
            Gate = _large.Begin(client, target, _kept.Memory);
            return true;
        }

        target.Credit--;
        client.Publish(target.Producer, header, _payload.Join(_kept.Memory, body), TakeTag(), null, transaction);
        return true;
    }

    /// <summary>A piece of a large body.</summary>
    public void TakePiece(in ReadOnlySequence<byte> piece, bool isLast)
    {
        if (!piece.IsEmpty)
        {
            Gate = _large!.Append(piece);
        }

        _large!.IsWhole = isLast;
        if (isLast && Gate is null)
        {
            CompleteLarge();
        }
    }

    /// <summary>The disk has caught up.</summary>
    public void Resume()
    {
        Gate = null;
        if (_large is { IsWhole: true })
        {
            CompleteLarge();
        }
    }

    /// <summary>A publish is done, or refused: the sender is told.</summary>
    public void OnPublished(ulong tag, BrokerException? error)
    {
        _lastDone = tag;
        _told.Clear(ScratchBytesKept);
        bool hasReceipt = _receipts.TryTake(tag, ref _told);
        if (error is not null)
        {
            life.Fail(error.Message, _told.Span);
        }
        else if (hasReceipt)
        {
            life.Confirm(_told.Span);
        }
    }

    /// <summary>The broker takes so many more.</summary>
    public void OnCredit(SendTarget target, int credit)
    {
        target.Credit += credit;
        _needsCredit = target == _needsCredit ? null : _needsCredit;
    }

    /// <summary>The broker has closed a target's producer.</summary>
    public void OnClosed(SendTarget target)
    {
        _targets.Remove(target);
        // The frame that waits is read again, and finds or makes its destination anew.
        _needsCredit = target == _needsCredit ? null : _needsCredit;
    }

    /// <summary>The connection is over.</summary>
    public void Close() => _large?.Abort();

    // Every publish is told of, for a refusal must be; the receipt's id waits if there is one.
    private ulong TakeTag() => TakeTag(receipt.IsDue, receipt.Id);

    private ulong TakeTag(bool isDue, ReadOnlySpan<byte> id)
    {
        ulong tag = ++_lastTag;
        if (isDue)
        {
            _receipts.Add(tag, id);
        }

        return tag;
    }

    // A transaction of its own, unless it is in one: its end is told in the place of the publishes'.
    private void TakeForAll(
        List<SendTarget> targets, in SendFields fields, in ReadOnlySequence<byte> body, bool isLarge,
        Transaction? transaction, long nowMs)
    {
        MessageHeader header = StompMessageMap.HeaderOf(fields, life.Version, nowMs);
        Transaction whole = transaction ?? client.Begin();
        bool isOwn = transaction is null;
        LargeSend? large = isLarge
            ? new LargeSend(header, whole, receipt.ToArray()) { IsForAll = true, IsOwnTransaction = isOwn } : null;
        BrokerException? refusal = null;
        _large = large;
        int headBytes = _kept.Length;
        foreach (SendTarget target in targets)
        {
            _kept.Truncate(headBytes);
            FinishHead(fields, target);
            if (large is null)
            {
                target.Credit--;
                refusal ??= client.Publish(
                    target.Producer, header, _payload.Join(_kept.Memory, body), 0, null, whole);
            }
            else if (large.Begin(client, target, _kept.Memory) is { } behind)
            {
                Gate = LargeSend.Both(Gate, behind);
            }
        }

        if (large is null)
        {
            EndForAll(whole, isOwn, refusal, receipt.ToArray());
        }
    }

    private void EndForAll(Transaction whole, bool isOwn, BrokerException? refusal, byte[]? due)
    {
        whole.Fail(refusal);
        if (isOwn)
        {
            transactions.Commit(whole, due);
        }
        else if (refusal is not null)
        {
            life.Fail(refusal.Message, due);
        }
        else if (due is not null)
        {
            // In a transaction of the client it is done for now.
            life.Confirm(due);
        }
    }

    // The kept block is complete with destination, reply-to and the empty line.
    private void FinishHead(in SendFields fields, SendTarget target)
    {
        AppendLine("destination:"u8, target.Line);
        if (!fields.ReplyTo.IsEmpty)
        {
            string replyTo = HeaderText.Decode(fields.ReplyTo, life.Version);
            AppendLine("reply-to:"u8, temporaries.Shown(replyTo));
        }

        _kept.Append((byte)'\n');
        if (_kept.Length > KeptBytesMax)
        {
            throw new StompException($"the headers are longer than {KeptBytesMax} bytes");
        }

        _kept.Set(0, fields.HasLength ? StompMessageMap.Bytes : StompMessageMap.Text);
    }

    private void AppendLine(ReadOnlySpan<byte> name, string value)
    {
        _kept.Append(name);
        HeaderText.AppendEscaped(ref _kept, System.Text.Encoding.UTF8.GetBytes(value));
        _kept.Append((byte)'\n');
    }

    private void CompleteLarge()
    {
        LargeSend large = _large!;
        Gate = large.Finish();
        if (Gate is not null)
        {
            return;
        }

        _large = null;
        bool isOne = !large.IsForAll;
        BrokerException? refusal = null;
        foreach ((LargePublish upload, SendTarget target) in large.Parts)
        {
            target.Credit--;
            ulong tag = isOne ? TakeTag(large.Receipt is not null, large.Receipt) : 0;
            refusal ??= upload.Complete(large.Header, tag, null, large.Transaction);
        }

        if (!isOne)
        {
            EndForAll(large.Transaction!, large.IsOwnTransaction, refusal, large.Receipt);
        }
    }
}
