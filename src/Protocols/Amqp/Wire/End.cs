namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.8: <descriptor name="amqp:end:list" code="0x00000000:0x00000017"/>
//
//  0  error   error

/// <summary>Ends a session.</summary>
[AmqpList(0x17, "amqp:end:list")]
public sealed partial record End : IPerformative
{
    [Field(0)]
    public AmqpError? Error { get; init; }
}
