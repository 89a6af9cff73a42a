namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Part 3 section 3.5.7.</summary>
public enum DistributionMode : byte
{
    Move,
    Copy,
}

/// <summary>The symbols of <see cref="DistributionMode"/>.</summary>
public static class DistributionModeSymbol
{
    public static ReadOnlySpan<byte> Of(DistributionMode mode) => mode == DistributionMode.Copy ? "copy"u8 : "move"u8;

    public static DistributionMode Parse(ReadOnlySpan<byte> symbol) =>
        symbol.SequenceEqual("copy"u8) ? DistributionMode.Copy
        : symbol.SequenceEqual("move"u8) ? DistributionMode.Move
        : throw AmqpException.Decode("unknown distribution-mode");
}

// Part 3 section 3.5.3: <descriptor name="amqp:source:list" code="0x00000000:0x00000028"/>
//
//  0  address                   *                        requires address (string)
//  1  durable                   terminus-durability      default none
//  2  expiry-policy             terminus-expiry-policy   default session-end
//  3  timeout                   seconds                  default 0
//  4  dynamic                   boolean                  default false
//  5  dynamic-node-properties   node-properties
//  6  distribution-mode         symbol                   requires std-dist-mode
//  7  filter                    filter-set
//  8  default-outcome           *                        requires outcome
//  9  outcomes                  symbol                   multiple
// 10  capabilities              symbol                   multiple

/// <summary>Where the messages of a link come from.</summary>
[AmqpList(0x28, "amqp:source:list")]
public sealed partial record Source : Terminus
{
    [Field(0)]
    public string? Address { get; init; }

    [Field(1)]
    public TerminusDurability Durable { get; init; }

    [Field(2, FieldKind.Symbol, Default = (byte)1)]
    public TerminusExpiryPolicy ExpiryPolicy { get; init; } = TerminusExpiryPolicy.SessionEnd;

    /// <summary>Seconds between the start of the expiry timer and the terminus' end.</summary>
    [Field(3)]
    public uint TimeoutSeconds { get; init; }

    [Field(4)]
    public bool Dynamic { get; init; }

    [Field(5)]
    public AmqpMap? DynamicNodeProperties { get; init; }

    [Field(6, FieldKind.Symbol)]
    public DistributionMode? DistributionMode { get; init; }

    /// <summary>Names (symbols) to described filters; null values are possible.</summary>
    [Field(7)]
    public AmqpMap? Filter { get; init; }

    /// <summary>The encoded outcome.</summary>
    [Field(8, FieldKind.Encoded)]
    public byte[]? DefaultOutcome { get; init; }

    [Field(9, FieldKind.Symbol)]
    public string[]? Outcomes { get; init; }

    [Field(10, FieldKind.Symbol)]
    public string[]? Capabilities { get; init; }
}
