using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>A frame that the node sent.</summary>
internal sealed class ReceivedFrame(FrameHeader header, byte[] body)
{
    public FrameHeader Header { get; } = header;

    /// <summary>The body's descriptor; 0 for an empty frame.</summary>
    public ulong Descriptor { get; } = body.Length == 0 ? 0 : new AmqpReader(body).PeekDescriptor();

    public Open AsOpen() => Read(Open.Read);

    public Begin AsBegin() => Read(Begin.Read);

    public Attach AsAttach() => Read(Attach.Read);

    public Detach AsDetach() => Read(Detach.Read);

    public End AsEnd() => Read(End.Read);

    public Close AsClose() => Read(Close.Read);

    public Flow AsFlow()
    {
        var reader = new AmqpReader(body);
        return Flow.Read(ref reader);
    }

    public Disposition AsDisposition()
    {
        var reader = new AmqpReader(body);
        return Disposition.Read(ref reader);
    }

    public Transfer AsTransfer(out byte[] payload)
    {
        var reader = new AmqpReader(body);
        Transfer transfer = Transfer.Read(ref reader);
        payload = body[reader.Position..];
        return transfer;
    }

    public SaslMechanisms AsSaslMechanisms() => Read(SaslMechanisms.Read);

    public SaslOutcome AsSaslOutcome() => Read(SaslOutcome.Read);

    public override string ToString() => Descriptor switch
    {
        0 => "empty",
        Open.DescriptorCode => "open",
        Begin.DescriptorCode => "begin",
        Attach.DescriptorCode => "attach",
        Flow.DescriptorCode => "flow",
        Transfer.DescriptorCode => "transfer",
        Disposition.DescriptorCode => "disposition",
        Detach.DescriptorCode => $"detach({AsDetach().Error?.Condition})",
        End.DescriptorCode => $"end({AsEnd().Error?.Condition})",
        Close.DescriptorCode => $"close({AsClose().Error?.Condition})",
        SaslMechanisms.DescriptorCode => "sasl-mechanisms",
        SaslChallenge.DescriptorCode => "sasl-challenge",
        SaslOutcome.DescriptorCode => $"sasl-outcome({AsSaslOutcome().Code})",
        _ => $"0x{Descriptor:x}",
    };

    private T Read<T>(Reading<T> read)
    {
        var reader = new AmqpReader(body);
        return read(ref reader);
    }

    private delegate T Reading<T>(scoped ref AmqpReader reader);
}
