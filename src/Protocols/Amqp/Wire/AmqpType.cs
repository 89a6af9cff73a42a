namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>The primitive types of part 1 section 1.6, and "described".</summary>
public enum AmqpType : byte
{
    Null,
    Boolean,
    UByte,
    UShort,
    UInt,
    ULong,
    Byte,
    Short,
    Int,
    Long,
    Float,
    Double,
    Decimal32,
    Decimal64,
    Decimal128,
    Char,
    Timestamp,
    Uuid,
    Binary,
    String,
    Symbol,
    List,
    Map,
    Array,
    Described,
}
