namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.9: <descriptor name="amqp:close:list" code="0x00000000:0x00000018"/>
//
//  0  error   error

/// <summary>Closes a connection.</summary>
[AmqpList(0x18, "amqp:close:list")]
public sealed partial record Close : IPerformative
{
    [Field(0)]
    public AmqpError? Error { get; init; }
}
