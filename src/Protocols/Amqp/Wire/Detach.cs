namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.7: <descriptor name="amqp:detach:list" code="0x00000000:0x00000016"/>
//
//  0  handle   handle    mandatory
//  1  closed   boolean   default false
//  2  error    error

/// <summary>Detaches a link; with closed it ends it.</summary>
[AmqpList(0x16, "amqp:detach:list")]
public sealed partial record Detach : IPerformative
{
    [Field(0, Mandatory = true)]
    public required uint Handle { get; init; }

    [Field(1)]
    public bool Closed { get; init; }

    [Field(2)]
    public AmqpError? Error { get; init; }
}
