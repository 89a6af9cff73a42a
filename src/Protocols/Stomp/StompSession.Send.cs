using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <content>SEND (1.2, "SEND"): a publish; its receipt leaves when the message is on disk.</content>
internal sealed partial class StompSession
{
    /// <summary>A kept header block is read with the first piece of a large body: it is not longer than that.</summary>
    private const int KeptBytesMax = 48 << 10;

    private readonly SendTargets _targets = new();
    private readonly ReceiptQueue _receipts = new();
    private readonly PayloadSequence _payload = new();
    private ByteBuilder _kept;
    private SendTarget? _needsCredit;
    private LargePublish? _large;
    private MessageHeader _largeHeader;
    private Broker.Transactions.Transaction? _largeTransaction;
    private SendTarget? _largeTarget;
    private bool _largeHasReceipt;
    private bool _isLargeComplete;
    private ulong _lastTag;
    private ulong _lastDone;

    /// <summary>The disk is behind with a large body: the loop awaits it and calls <see cref="ResumeInput"/>.</summary>
    public Task? InputGate { get; private set; }

    /// <summary>The disk has caught up.</summary>
    public void ResumeInput()
    {
        InputGate = null;
        if (_isLargeComplete)
        {
            CompleteLarge();
        }
    }

    private bool OnSend(in FrameHead frame, in ReadOnlySequence<byte> body, bool isLarge)
    {
        if (State != SessionState.Connected)
        {
            throw new StompException("the first frame must be CONNECT or STOMP");
        }

        _kept.Clear(ScratchBytesKept);
        _kept.Append(StompMessageMap.Text);
        SendFields fields = StompMessageMap.Read(frame, Version, ref _kept);
        if (fields.HasReceipt)
        {
            KeepReceipt(fields.Receipt);
        }

        SendTarget target = TargetOf(fields);
        if (target.Credit <= 0)
        {
            _needsCredit = target;
            return false;
        }

        Broker.Transactions.Transaction? transaction =
            fields.HasTransaction ? TransactionOf(HeaderText.Decode(fields.Transaction, Version)) : null;
        FinishHead(fields, target);
        MessageHeader header = StompMessageMap.HeaderOf(fields, Version, NowMs);
        if (isLarge)
        {
            BeginLarge(target, header, transaction);
            return true;
        }

        target.Credit--;
        Client.Publish(target.Producer, header, _payload.Join(_kept.Memory, body), TakeTag(), null, transaction);
        return true;
    }

    // Every publish is told of, for a refusal must be; the receipt's id waits if there is one.
    private ulong TakeTag()
    {
        ulong tag = ++_lastTag;
        if (_hasReceipt)
        {
            _receipts.Add(tag, _receipt.Span);
        }

        return tag;
    }

    private SendTarget TargetOf(in SendFields fields)
    {
        if (_targets.Last is { } last && last.IsNamed(fields.Destination, fields.DestinationType))
        {
            return last;
        }

        string text = HeaderText.Decode(fields.Destination, Version);
        string? type = fields.DestinationType.IsEmpty ? null : HeaderText.Decode(fields.DestinationType, Version);
        if (_targets.Find(text, type) is { } known)
        {
            return known;
        }

        Destination destination = Destination.Parse(text, Options, Destination.TypeOf(type));
        if (destination.PatternPrefixOf(text) is not null && Client.FindAddress(destination.Name.Address) is null)
        {
            throw new StompException($"nothing can be sent to the pattern '{Shorten(destination.Name.Address)}'");
        }

        string address = destination.IsTemporary ? Temporary(text, destination) : destination.Name.ToString();
        if (_targets.Count >= Options.ProducersMax)
        {
            Client.CloseProducer(_targets.RemoveOldest().Producer);
        }

        Producer producer = Client.OpenProducer(new ProducerOptions
        {
            Address = address,
            // Of a stream's name the prefix says nothing: the stream takes it, and whoever is bound to the address.
            RoutingType = Client.IsStream(destination.Name.Address) ? null : destination.RoutingType,
            Name = text,
        });
        var target = new SendTarget(producer, fields.Destination.ToArray(), fields.DestinationType.ToArray())
        {
            // What others are to see as the destination: of a temporary one, the name that is not only ours.
            Line = destination.IsTemporary ? ShownName(destination, address) : text,
        };
        producer.Tag = target;
        _targets.Add(text, type, target);
        return target;
    }

    // The kept block is complete with destination, reply-to and the empty line.
    private void FinishHead(in SendFields fields, SendTarget target)
    {
        AppendLine("destination:"u8, target.Line);
        if (!fields.ReplyTo.IsEmpty)
        {
            string replyTo = HeaderText.Decode(fields.ReplyTo, Version);
            AppendLine("reply-to:"u8, Shown(replyTo));
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

    private void BeginLarge(
        SendTarget target, in MessageHeader header, Broker.Transactions.Transaction? transaction)
    {
        _large = Client.BeginLarge(target.Producer);
        (_largeHeader, _largeTarget, _largeTransaction) = (header, target, transaction);
        _largeHasReceipt = _hasReceipt;
        Append(new ReadOnlySequence<byte>(_kept.Memory));
    }

    // False: more bytes are needed.
    private bool ReceivePiece(ref ReadOnlySequence<byte> input)
    {
        if (input.IsEmpty)
        {
            return false;
        }

        bool isLast = _reader.TakePiece(ref input, out ReadOnlySequence<byte> piece);
        if (!piece.IsEmpty)
        {
            Append(piece);
        }

        if (!isLast)
        {
            return true;
        }

        _isLargeComplete = true;
        if (InputGate is null)
        {
            CompleteLarge();
        }

        return true;
    }

    private void Append(in ReadOnlySequence<byte> piece)
    {
        if (!_large!.Append(piece))
        {
            InputGate = _large.ReadyAsync(CancellationToken.None).AsTask();
        }
    }

    private void CompleteLarge()
    {
        if (!_large!.Finish())
        {
            InputGate = _large.ReadyAsync(CancellationToken.None).AsTask();
            return;
        }

        LargePublish large = _large;
        _large = null;
        _isLargeComplete = false;
        _largeTarget!.Credit--;
        _hasReceipt = _largeHasReceipt;
        large.Complete(_largeHeader, TakeTag(), null, _largeTransaction);
    }

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error)
    {
        _lastDone = tag;
        _receipt.Clear(ScratchBytesKept);
        bool hasReceipt = _receipts.TryTake(tag, ref _receipt);
        if (State == SessionState.Ended)
        {
            return;
        }

        if (error is not null)
        {
            Fail(error.Message, _receipt.Span, null);
        }
        else if (hasReceipt)
        {
            Frames.WriteReceipt(_receipt.Span);
        }
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit)
    {
        var target = (SendTarget)producer.Tag!;
        target.Credit += credit;
        if (target == _needsCredit)
        {
            _needsCredit = null;
        }
    }
}
