namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>What an encoded delivery state is.</summary>
public enum DeliveryStateKind : byte
{
    /// <summary>Absent, or null.</summary>
    None,
    Received,
    Accepted,
    Rejected,
    Released,
    Modified,
    Declared,
    Transactional,

    /// <summary>Described by something that is not in the specification.</summary>
    Unknown,
}

/// <summary>
/// Delivery states (part 3 section 3.4, part 4 section 4.5) as encoded bytes: the hot ones are constants, and none is
/// decoded before it is looked at.
/// </summary>
public static class DeliveryState
{
    public static ReadOnlySpan<byte> Accepted => [0x00, 0x53, 0x24, 0x45];

    public static ReadOnlySpan<byte> Released => [0x00, 0x53, 0x26, 0x45];

    /// <summary>Rejected without an error.</summary>
    public static ReadOnlySpan<byte> Rejected => [0x00, 0x53, 0x25, 0x45];

    /// <summary>Received, and nothing yet: of a resumed transfer, that it begins at the beginning.</summary>
    public static ReadOnlySpan<byte> ReceivedNothing => [0x00, 0x53, 0x23, 0xc0, 0x03, 0x02, 0x43, 0x44];

    /// <summary>Modified with delivery-failed.</summary>
    public static ReadOnlySpan<byte> ModifiedFailed => [0x00, 0x53, 0x27, 0xc0, 0x02, 0x01, 0x41];

    /// <summary>What the encoded state is; a value that is not described is a decode error.</summary>
    public static DeliveryStateKind KindOf(ReadOnlySpan<byte> state)
    {
        if (state.IsEmpty || state[0] == FormatCode.Null)
        {
            return DeliveryStateKind.None;
        }
        AmqpReader reader = new(state);
        return KindOfDescriptor(reader.ReadDescriptor());
    }

    private static DeliveryStateKind KindOfDescriptor(ulong descriptor) => descriptor switch
    {
        Wire.Accepted.DescriptorCode => DeliveryStateKind.Accepted,
        Wire.Released.DescriptorCode => DeliveryStateKind.Released,
        Wire.Rejected.DescriptorCode => DeliveryStateKind.Rejected,
        Modified.DescriptorCode => DeliveryStateKind.Modified,
        Received.DescriptorCode => DeliveryStateKind.Received,
        TransactionalState.DescriptorCode => DeliveryStateKind.Transactional,
        Declared.DescriptorCode => DeliveryStateKind.Declared,
        _ => DeliveryStateKind.Unknown,
    };

    public static Modified ReadModified(ReadOnlySpan<byte> state)
    {
        AmqpReader reader = new(state);
        return Modified.Read(ref reader);
    }

    public static Rejected ReadRejected(ReadOnlySpan<byte> state)
    {
        AmqpReader reader = new(state);
        return Wire.Rejected.Read(ref reader);
    }

    public static Received ReadReceived(ReadOnlySpan<byte> state)
    {
        AmqpReader reader = new(state);
        return Received.Read(ref reader);
    }

    public static TransactionalState ReadTransactional(ReadOnlySpan<byte> state)
    {
        AmqpReader reader = new(state);
        return TransactionalState.Read(ref reader);
    }

    public static Declared ReadDeclared(ReadOnlySpan<byte> state)
    {
        AmqpReader reader = new(state);
        return Declared.Read(ref reader);
    }
}
