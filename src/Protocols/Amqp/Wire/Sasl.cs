namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Part 5 section 5.3.3.6.</summary>
public enum SaslCode : byte
{
    Ok = 0,
    Auth = 1,
    Sys = 2,
    SysPerm = 3,
    SysTemp = 4,
}

// Part 5 section 5.3.3.1: <descriptor name="amqp:sasl-mechanisms:list" code="0x00000000:0x00000040"/>
//
//  0  sasl-server-mechanisms   symbol   multiple, mandatory

/// <summary>The mechanisms that the server offers.</summary>
[AmqpList(0x40, "amqp:sasl-mechanisms:list")]
public sealed partial record SaslMechanisms : ISaslFrame
{
    [Field(0, FieldKind.Symbol, Mandatory = true)]
    public required string[] ServerMechanisms { get; init; }
}

// Part 5 section 5.3.3.2: <descriptor name="amqp:sasl-init:list" code="0x00000000:0x00000041"/>
//
//  0  mechanism          symbol   mandatory
//  1  initial-response   binary
//  2  hostname           string

/// <summary>The mechanism that the client chose.</summary>
[AmqpList(0x41, "amqp:sasl-init:list")]
public sealed partial record SaslInit : ISaslFrame
{
    [Field(0, FieldKind.Symbol, Mandatory = true)]
    public required string Mechanism { get; init; }

    [Field(1)]
    public byte[]? InitialResponse { get; init; }

    [Field(2)]
    public string? Hostname { get; init; }
}

// Part 5 section 5.3.3.3: <descriptor name="amqp:sasl-challenge:list" code="0x00000000:0x00000042"/>
//
//  0  challenge   binary   mandatory

/// <summary>The server asks.</summary>
[AmqpList(0x42, "amqp:sasl-challenge:list")]
public sealed partial record SaslChallenge : ISaslFrame
{
    [Field(0, Mandatory = true)]
    public required byte[] Challenge { get; init; }
}

// Part 5 section 5.3.3.4: <descriptor name="amqp:sasl-response:list" code="0x00000000:0x00000043"/>
//
//  0  response   binary   mandatory

/// <summary>The client answers.</summary>
[AmqpList(0x43, "amqp:sasl-response:list")]
public sealed partial record SaslResponse : ISaslFrame
{
    [Field(0, Mandatory = true)]
    public required byte[] Response { get; init; }
}

// Part 5 section 5.3.3.5: <descriptor name="amqp:sasl-outcome:list" code="0x00000000:0x00000044"/>
//
//  0  code              sasl-code   mandatory
//  1  additional-data   binary

/// <summary>How it ended.</summary>
[AmqpList(0x44, "amqp:sasl-outcome:list")]
public sealed partial record SaslOutcome : ISaslFrame
{
    [Field(0, Mandatory = true)]
    public required SaslCode Code { get; init; }

    [Field(1)]
    public byte[]? AdditionalData { get; init; }
}
