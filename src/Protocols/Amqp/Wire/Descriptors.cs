namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// Numeric descriptors, and the symbols that mean the same. Those of declared lists are constants of their types
/// (e.g. <see cref="Transfer.DescriptorCode"/>); here are the sections of a message that are no lists.
/// </summary>
public static class Descriptors
{
    public const ulong DeliveryAnnotations = 0x71;
    public const ulong MessageAnnotations = 0x72;
    public const ulong ApplicationProperties = 0x74;
    public const ulong Data = 0x75;
    public const ulong AmqpSequence = 0x76;
    public const ulong AmqpValue = 0x77;
    public const ulong Footer = 0x78;

    /// <summary>
    /// apache.org:no-local-filter:list and apache.org:selector-filter:string, of the filter registry.
    /// </summary>
    public const ulong NoLocalFilter = 0x0000468C00000003;
    public const ulong SelectorFilter = 0x0000468C00000004;

    /// <summary>The numeric code of a symbolic descriptor, zero if it is not known.</summary>
    public static ulong FromSymbol(ReadOnlySpan<byte> symbol)
    {
        ulong declared = WireTypes.FromSymbol(symbol);
        return declared != 0 ? declared : symbol switch
        {
            _ when symbol.SequenceEqual("amqp:delivery-annotations:map"u8) => DeliveryAnnotations,
            _ when symbol.SequenceEqual("amqp:message-annotations:map"u8) => MessageAnnotations,
            _ when symbol.SequenceEqual("amqp:application-properties:map"u8) => ApplicationProperties,
            _ when symbol.SequenceEqual("amqp:data:binary"u8) => Data,
            _ when symbol.SequenceEqual("amqp:amqp-sequence:list"u8) => AmqpSequence,
            _ when symbol.SequenceEqual("amqp:amqp-value:*"u8) => AmqpValue,
            _ when symbol.SequenceEqual("amqp:footer:map"u8) => Footer,
            _ when symbol.SequenceEqual("apache.org:no-local-filter:list"u8) => NoLocalFilter,
            _ when symbol.SequenceEqual("apache.org:selector-filter:string"u8) => SelectorFilter,
            _ => 0,
        };
    }
}
