namespace Pillarbox.Protocols.Amqp.Wire;

// Part 3 section 3.5.4: <descriptor name="amqp:target:list" code="0x00000000:0x00000029"/>
//
//  0  address                   *                        requires address (string)
//  1  durable                   terminus-durability      default none
//  2  expiry-policy             terminus-expiry-policy   default session-end
//  3  timeout                   seconds                  default 0
//  4  dynamic                   boolean                  default false
//  5  dynamic-node-properties   node-properties
//  6  capabilities              symbol                   multiple

/// <summary>Where the messages of a link go to.</summary>
[AmqpList(0x29, "amqp:target:list")]
public sealed partial record Target : Terminus
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
    public string[]? Capabilities { get; init; }
}
