using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>Random frames with a well-formed performative, and a message behind a transfer.</summary>
internal sealed class AmqpFrameGrammar(Random random, AmqpGrammar grammar)
{
    private const int Kinds = 15;

    public byte[] Frame()
    {
        ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output);
        int kind = random.Next(Kinds);
        int frame = writer.BeginFrame(kind >= 10 ? FrameType.Sasl : FrameType.Amqp, (ushort)random.Next(4));
        Write(kind, ref writer);
        if (kind == 4)
        {
            grammar.Message().Write(ref writer);
        }
        writer.EndFrame(frame);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Framed(FrameType type, ushort channel, byte[] body)
    {
        ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output);
        int frame = writer.BeginFrame(type, channel);
        writer.WriteRaw(body);
        writer.EndFrame(frame);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    private void Write(int kind, scoped ref AmqpWriter writer)
    {
        switch (kind)
        {
            case 0: WriteOpen(ref writer); break;
            case 1: WriteBegin(ref writer); break;
            case 2: WriteAttach(ref writer); break;
            case 3: WriteFlow(ref writer); break;
            case 4: WriteTransfer(ref writer); break;
            case 5: WriteDisposition(ref writer); break;
            case 6: new Detach { Handle = UInt(), Closed = Bool(), Error = Error() }.Write(ref writer); break;
            case 7: new End { Error = Error() }.Write(ref writer); break;
            case 8: new Close { Error = Error() }.Write(ref writer); break;
            case 9: grammar.Value().Write(ref writer); break;
            case 10: new SaslMechanisms { ServerMechanisms = Symbols() ?? [] }.Write(ref writer); break;
            case 11: WriteSaslInit(ref writer); break;
            case 12: new SaslChallenge { Challenge = grammar.Bytes(9) }.Write(ref writer); break;
            case 13: new SaslResponse { Response = grammar.Bytes(9) }.Write(ref writer); break;
            default: new SaslOutcome { Code = (SaslCode)random.Next(5) }.Write(ref writer); break;
        }
    }

    private void WriteOpen(scoped ref AmqpWriter writer) => new Open
    {
        ContainerId = grammar.Text(),
        Hostname = Bool() ? grammar.Text() : null,
        MaxFrameSize = UInt(),
        ChannelMax = (ushort)UInt(),
        IdleTimeoutMs = MaybeUInt(),
        OfferedCapabilities = Symbols(),
        DesiredCapabilities = Symbols(),
        Properties = Fields(),
    }.Write(ref writer);

    private void WriteBegin(scoped ref AmqpWriter writer) => new Begin
    {
        RemoteChannel = Bool() ? (ushort)UInt() : null,
        NextOutgoingId = UInt(),
        IncomingWindow = UInt(),
        OutgoingWindow = UInt(),
        HandleMax = UInt(),
        Properties = Fields(),
    }.Write(ref writer);

    private void WriteAttach(scoped ref AmqpWriter writer) => new Attach
    {
        Name = grammar.Text(),
        Handle = UInt(),
        Role = (Role)random.Next(2),
        SenderSettleMode = (SenderSettleMode)random.Next(3),
        ReceiverSettleMode = (ReceiverSettleMode)random.Next(2),
        Source = Bool() ? Source() : null,
        Target = random.Next(3) switch { 0 => Target(), 1 => new Coordinator { Capabilities = Symbols() }, _ => null },
        Unsettled = Bool() ? grammar.Map(1, AmqpType.Binary) : null,
        InitialDeliveryCount = MaybeUInt(),
        MaxMessageSize = MaybeUInt(),
        Properties = Fields(),
    }.Write(ref writer);

    private Source Source() => new()
    {
        Address = Bool() ? grammar.Text() : null,
        Durable = (TerminusDurability)random.Next(3),
        ExpiryPolicy = (TerminusExpiryPolicy)random.Next(4),
        TimeoutSeconds = UInt(),
        Dynamic = Bool(),
        DistributionMode = Bool() ? DistributionMode.Copy : null,
        Filter = Fields(),
        DefaultOutcome = Bool() ? DeliveryState.ModifiedFailed.ToArray() : null,
        Outcomes = Symbols(),
        Capabilities = Symbols(),
    };

    private Target Target() => new()
    {
        Address = Bool() ? grammar.Text() : null,
        Durable = (TerminusDurability)random.Next(3),
        ExpiryPolicy = (TerminusExpiryPolicy)random.Next(4),
        DynamicNodeProperties = Fields(),
        Capabilities = Symbols(),
    };

    private void WriteFlow(scoped ref AmqpWriter writer) => new Flow
    {
        NextIncomingId = MaybeUInt(),
        IncomingWindow = UInt(),
        NextOutgoingId = UInt(),
        OutgoingWindow = UInt(),
        Handle = MaybeUInt(),
        DeliveryCount = MaybeUInt(),
        LinkCredit = MaybeUInt(),
        Drain = Bool(),
        Echo = Bool(),
    }.Write(ref writer);

    private void WriteTransfer(scoped ref AmqpWriter writer) => new Transfer
    {
        Handle = UInt(),
        DeliveryId = MaybeUInt(),
        DeliveryTag = grammar.Bytes(random.Next(33)),
        MessageFormat = Bool() ? 0 : null,
        Settled = Bool() ? Bool() : null,
        More = Bool(),
        State = State(),
        Batchable = Bool(),
    }.Write(ref writer);

    private void WriteDisposition(scoped ref AmqpWriter writer) => new Disposition
    {
        Role = (Role)random.Next(2),
        First = UInt(),
        Last = MaybeUInt(),
        Settled = Bool(),
        State = State(),
    }.Write(ref writer);

    private void WriteSaslInit(scoped ref AmqpWriter writer) => new SaslInit
    {
        Mechanism = "PLAIN",
        InitialResponse = Bool() ? grammar.Bytes(20) : null,
        Hostname = Bool() ? grammar.Text() : null,
    }.Write(ref writer);

    private byte[] State() => random.Next(5) switch
    {
        0 => DeliveryState.Accepted.ToArray(),
        1 => DeliveryState.Rejected.ToArray(),
        2 => DeliveryState.ModifiedFailed.ToArray(),
        3 => grammar.Value(2).ToEncoded(),
        _ => [],
    };

    private AmqpError? Error() => Bool() ? new AmqpError { Condition = grammar.SymbolText(), Info = Fields() } : null;

    private AmqpMap? Fields() => random.Next(3) == 0 ? grammar.Map(2, AmqpType.Symbol) : null;

    private string[]? Symbols() =>
        random.Next(3) == 0 ? [.. Enumerable.Range(0, random.Next(4)).Select(_ => grammar.SymbolText())] : null;

    private bool Bool() => random.Next(2) == 0;

    private uint UInt() => random.Next(3) == 0 ? (uint)random.NextInt64(uint.MaxValue) : (uint)random.Next(300);

    private uint? MaybeUInt() => Bool() ? UInt() : null;
}
