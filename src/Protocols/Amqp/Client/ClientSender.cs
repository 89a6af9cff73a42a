using System.Buffers.Binary;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>What became of deliveries. The encoded state lives as long as the call that hands it out.</summary>
public readonly ref struct DeliveryOutcome(DeliveryStateKind kind, ReadOnlySpan<byte> state)
{
    public DeliveryStateKind Kind { get; } = kind;

    /// <summary>The state as it came, for what a rejection says.</summary>
    public ReadOnlySpan<byte> State { get; } = state;
}

/// <summary>Hears what becomes of what a sender sent. Called from <see cref="ClientConnection.Receive"/>.</summary>
public interface ISenderEvents
{
    /// <summary>Deliveries <paramref name="first"/> to <paramref name="last"/> of this sender are settled.</summary>
    void OnSettled(ClientSender sender, uint first, uint last, in DeliveryOutcome outcome);
}

/// <summary>A link that sends.</summary>
public sealed class ClientSender : ClientLink
{
    private readonly ISenderEvents _events;
    private byte[] _pending = [];
    private int _pendingOffset;
    private bool _pendingSettled;

    internal ClientSender(ClientSession session, string name, uint handle, ISenderEvents events)
        : base(session, name, handle) => _events = events;

    /// <summary>Whether a message can be sent now: there is credit, a window, and none is under way in parts.</summary>
    public bool CanSend => Credit > 0 && Session.TransferWindow > 0 && _pending.Length == 0;

    internal override bool IsSender => true;

    /// <summary>
    /// Sends an encoded message (part 3 section 3.2), which is copied, and returns its delivery id.
    /// <see cref="CanSend"/> must hold. A settled one gets no outcome.
    /// </summary>
    public uint Send(ReadOnlySpan<byte> message, bool settled)
    {
        if (!CanSend)
        {
            throw new InvalidOperationException("the link has no credit");
        }
        uint id = Session.NextDelivery(this, settled);
        Credit--;
        DeliveryCount++;
        Span<byte> tag = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(tag, id);
        int room = Session.Connection.FrameBytesMax - ClientSession.TransferBytesMax;
        int first = Math.Min(room, message.Length);
        Transfer transfer = new()
        {
            Handle = Handle,
            DeliveryId = id,
            DeliveryTag = tag,
            MessageFormat = 0,
            Settled = settled,
            More = first < message.Length,
            Batchable = true,
        };
        Session.WriteTransfer(transfer, message[..first]);
        if (transfer.More)
        {
            SendRest(message, first, settled);
        }
        return id;
    }

    internal void OnSettled(uint first, uint last, in DeliveryOutcome outcome) =>
        _events.OnSettled(this, first, last, outcome);

    /// <summary>Section 2.6.7: the credit left is what the receiver said, less what it had not seen yet.</summary>
    internal override void OnFlow(in Flow flow)
    {
        if (flow.LinkCredit is not { } credit || State == LinkState.Detached)
        {
            return;
        }
        uint unseen = unchecked(DeliveryCount - (flow.DeliveryCount ?? 0));
        Credit = credit > unseen ? credit - unseen : 0;
        if (flow.Drain)
        {
            DeliveryCount = unchecked(DeliveryCount + Credit);
            Credit = 0;
            Session.WriteFlow(this, drain: true);
        }
    }

    internal void ContinuePending()
    {
        if (_pending.Length > 0 && Session.TransferWindow > 0)
        {
            byte[] message = _pending;
            _pending = [];
            SendRest(message, _pendingOffset, _pendingSettled);
        }
    }

    private void SendRest(ReadOnlySpan<byte> message, int offset, bool settled)
    {
        int room = Session.Connection.FrameBytesMax - ClientSession.TransferBytesMax;
        while (offset < message.Length)
        {
            if (Session.TransferWindow == 0)
            {
                (_pending, _pendingOffset, _pendingSettled) = (message[offset..].ToArray(), 0, settled);
                return;
            }
            int part = Math.Min(room, message.Length - offset);
            bool more = offset + part < message.Length;
            Session.WriteTransfer(
                new Transfer { Handle = Handle, Settled = settled, More = more }, message.Slice(offset, part));
            offset += part;
        }
    }
}
