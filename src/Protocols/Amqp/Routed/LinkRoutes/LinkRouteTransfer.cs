using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

/// <summary>What of a transfer crosses the node as it came, when its link goes through as a whole. It is used again
/// with its delivery.</summary>
internal sealed class LinkRouteTransfer
{
    /// <summary>The longest delivery state of a transfer: a transaction's id and an outcome.</summary>
    public const int StateBytesMax = 256;

    private readonly byte[] _tag = new byte[Transfer.DeliveryTagBytesMax];
    private int _tagBytes;

    public ReadOnlySpan<byte> Tag => _tag.AsSpan(0, _tagBytes);

    /// <summary>Encoded; empty: none.</summary>
    public byte[] State { get; private set; } = [];

    public bool Resume { get; private set; }

    public ReceiverSettleMode? Mode { get; private set; }

    /// <summary>Takes what the first frame of a delivery says. Errors: not-allowed, for a state that is too
    /// long.</summary>
    public void Read(in Transfer transfer)
    {
        if (transfer.State.Length > StateBytesMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed,
                $"a delivery state of {transfer.State.Length} bytes; at most {StateBytesMax} pass",
                AmqpSeverity.Link);
        }

        _tagBytes = Math.Min(transfer.DeliveryTag.Length, _tag.Length);
        transfer.DeliveryTag[.._tagBytes].CopyTo(_tag);
        State = transfer.State.IsEmpty ? [] : transfer.State.ToArray();
        Resume = transfer.Resume;
        Mode = transfer.ReceiverSettleMode;
    }
}
