namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.2: <descriptor name="amqp:begin:list" code="0x00000000:0x00000011"/>
//
//  0  remote-channel         ushort
//  1  next-outgoing-id       transfer-number     mandatory
//  2  incoming-window        uint                mandatory
//  3  outgoing-window        uint                mandatory
//  4  handle-max             handle              default 4294967295
//  5  offered-capabilities   symbol              multiple
//  6  desired-capabilities   symbol              multiple
//  7  properties             fields

/// <summary>Begins a session on a channel.</summary>
[AmqpList(0x11, "amqp:begin:list")]
public sealed partial record Begin : IPerformative
{
    /// <summary>The channel of the begin that this one answers; null when it is the first of the two.</summary>
    [Field(0)]
    public ushort? RemoteChannel { get; init; }

    [Field(1, Mandatory = true)]
    public required uint NextOutgoingId { get; init; }

    [Field(2, Mandatory = true)]
    public required uint IncomingWindow { get; init; }

    [Field(3, Mandatory = true)]
    public required uint OutgoingWindow { get; init; }

    [Field(4, Default = uint.MaxValue)]
    public uint HandleMax { get; init; } = uint.MaxValue;

    [Field(5, FieldKind.Symbol)]
    public string[]? OfferedCapabilities { get; init; }

    [Field(6, FieldKind.Symbol)]
    public string[]? DesiredCapabilities { get; init; }

    [Field(7)]
    public AmqpMap? Properties { get; init; }
}
