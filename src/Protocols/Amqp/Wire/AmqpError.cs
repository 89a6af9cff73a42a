namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.8.14: <descriptor name="amqp:error:list" code="0x00000000:0x0000001d"/>
//
//  0  condition     symbol   mandatory
//  1  description   string
//  2  info          fields

/// <summary>Details of an error; the conditions are in <see cref="AmqpErrorCondition"/>.</summary>
[AmqpList(0x1d, "amqp:error:list")]
public sealed partial record AmqpError
{
    [Field(0, FieldKind.Symbol, Mandatory = true)]
    public required string Condition { get; init; }

    [Field(1)]
    public string? Description { get; init; }

    [Field(2)]
    public AmqpMap? Info { get; init; }

    /// <summary>The condition alone, for frames in which the rest has no room.</summary>
    public AmqpError WithoutText() => new() { Condition = Condition };
}
