namespace Pillarbox.Protocols.Amqp.Wire;

// Part 2 section 2.7.1: <type name="open" class="composite" source="list" provides="frame">
//                       <descriptor name="amqp:open:list" code="0x00000000:0x00000010"/>
//
//  0  container-id           string              mandatory
//  1  hostname               string
//  2  max-frame-size         uint                default 4294967295
//  3  channel-max            ushort              default 65535
//  4  idle-time-out          milliseconds
//  5  outgoing-locales       ietf-language-tag   multiple
//  6  incoming-locales       ietf-language-tag   multiple
//  7  offered-capabilities   symbol              multiple
//  8  desired-capabilities   symbol              multiple
//  9  properties             fields

/// <summary>Negotiates a connection's parameters.</summary>
[AmqpList(0x10, "amqp:open:list")]
public sealed partial record Open : IPerformative
{
    [Field(0, Mandatory = true)]
    public required string ContainerId { get; init; }

    [Field(1)]
    public string? Hostname { get; init; }

    /// <summary>The largest frame that the sender of the open takes, in bytes; at least 512.</summary>
    [Field(2, Default = uint.MaxValue)]
    public uint MaxFrameSize { get; init; } = uint.MaxValue;

    [Field(3, Default = ushort.MaxValue)]
    public ushort ChannelMax { get; init; } = ushort.MaxValue;

    /// <summary>Milliseconds without a frame after which the sender of the open closes; null or 0: never.</summary>
    [Field(4)]
    public uint? IdleTimeoutMs { get; init; }

    [Field(5, FieldKind.Symbol)]
    public string[]? OutgoingLocales { get; init; }

    [Field(6, FieldKind.Symbol)]
    public string[]? IncomingLocales { get; init; }

    [Field(7, FieldKind.Symbol)]
    public string[]? OfferedCapabilities { get; init; }

    [Field(8, FieldKind.Symbol)]
    public string[]? DesiredCapabilities { get; init; }

    [Field(9)]
    public AmqpMap? Properties { get; init; }
}
