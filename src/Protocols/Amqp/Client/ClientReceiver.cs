using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>A message that came. Its spans live as long as the call that hands it out.</summary>
public readonly ref struct IncomingDelivery
{
    public required uint DeliveryId { get; init; }

    /// <summary>Whether the peer has settled it already; then it must not be settled again.</summary>
    public required bool IsSettled { get; init; }

    public required ReadOnlySpan<byte> Tag { get; init; }

    /// <summary>All sections, as they came (part 3 section 3.2).</summary>
    public required ReadOnlySpan<byte> Message { get; init; }
}

/// <summary>Gets what a receiver receives. Called from <see cref="ClientConnection.Receive"/>.</summary>
public interface IReceiverEvents
{
    void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery);
}

/// <summary>A link that receives.</summary>
public sealed class ClientReceiver : ClientLink
{
    private readonly IReceiverEvents _events;
    private readonly ByteQueue _parts = new(0);
    private readonly byte[] _tag = new byte[Transfer.DeliveryTagBytesMax];
    private int _tagBytes;
    private uint _deliveryId;
    private bool _isSettled;
    private bool _inDelivery;
    private uint _creditWanted;
    private bool _creditDue;
    private bool _drain;

    internal ClientReceiver(ClientSession session, string name, uint handle, IReceiverEvents events)
        : base(session, name, handle) => _events = events;

    /// <summary>Whether a drain was asked for and the peer has answered: nothing more comes without new
    /// credit.</summary>
    public bool IsDrained { get; private set; }

    internal override bool IsSender => false;

    /// <summary>Keeps this many deliveries granted: tops the credit up whenever half of it is used.</summary>
    public void KeepCredit(uint deliveries)
    {
        _creditWanted = deliveries;
        Grant(deliveries);
    }

    /// <summary>Lets the peer send this many deliveries from now on, no matter how many it had left.</summary>
    public void Grant(uint deliveries)
    {
        Credit = deliveries;
        IsDrained = false;
        MarkDue();
    }

    /// <summary>Asks the peer to send what it has for the present credit and to give the rest back.</summary>
    public void Drain()
    {
        _drain = true;
        MarkDue();
    }

    /// <summary>Settles a delivery with an outcome. It goes out, with others, at the next flush.</summary>
    public void Settle(uint deliveryId, DeliveryStateKind outcome) => Session.Settle(deliveryId, outcome);

    internal void WriteCredit()
    {
        _creditDue = false;
        Session.WriteFlow(this, _drain);
        _drain = false;
    }

    internal override void OnAttach(Attach attach)
    {
        DeliveryCount = attach.InitialDeliveryCount ?? 0;
        base.OnAttach(attach);
        if (Credit > 0)
        {
            MarkDue();
        }
    }

    internal override void OnFlow(in Flow flow)
    {
        if (flow.DeliveryCount is { } count && State == LinkState.Attached)
        {
            uint givenBack = unchecked(count - DeliveryCount);
            Credit = Credit > givenBack ? Credit - givenBack : 0;
            DeliveryCount = count;
            IsDrained = flow.Drain;
        }
    }

    internal void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        if (!_inDelivery)
        {
            StartDelivery(transfer);
        }
        _isSettled |= transfer.Settled == true;
        if (transfer.Aborted)
        {
            // It was begun, and so has used credit.
            Use();
            TopUp();
            return;
        }
        if (transfer.More || _parts.Count > 0)
        {
            Collect(payload);
        }
        if (!transfer.More)
        {
            Deliver(_parts.Count > 0 ? _parts.Bytes : payload);
        }
    }

    private void StartDelivery(in Transfer transfer)
    {
        if (Credit == 0)
        {
            throw new AmqpException(AmqpErrorCondition.LinkTransferLimitExceeded, "a delivery beyond the credit");
        }
        _inDelivery = true;
        _deliveryId = transfer.DeliveryId
            ?? throw new AmqpException(AmqpErrorCondition.InvalidField, "a delivery without an id");
        _isSettled = false;
        _tagBytes = Math.Min(transfer.DeliveryTag.Length, _tag.Length);
        transfer.DeliveryTag[.._tagBytes].CopyTo(_tag);
    }

    private void Collect(ReadOnlySpan<byte> payload)
    {
        int limit = Session.Connection.Options.MessageBytesMax;
        if (payload.Length > limit - _parts.Count)
        {
            throw new AmqpException(AmqpErrorCondition.LinkMessageSizeExceeded, $"a message beyond {limit} bytes");
        }
        _parts.Append(payload);
    }

    private void Deliver(ReadOnlySpan<byte> message)
    {
        Use();
        _events.OnMessage(this, new IncomingDelivery
        {
            DeliveryId = _deliveryId,
            IsSettled = _isSettled,
            Tag = _tag.AsSpan(0, _tagBytes),
            Message = message,
        });
        TopUp();
    }

    private void Use()
    {
        Credit--;
        DeliveryCount++;
    }

    private void TopUp()
    {
        EndDelivery();
        if (Credit <= _creditWanted / 2 && _creditWanted > 0)
        {
            Credit = _creditWanted;
            MarkDue();
        }
    }

    private void EndDelivery()
    {
        _inDelivery = false;
        _parts.Take(_parts.Count);
    }

    private void MarkDue()
    {
        if (!_creditDue && State == LinkState.Attached)
        {
            _creditDue = true;
            Session.CreditIsDue(this);
        }
    }
}
