using System.Buffers;
using BenchmarkDotNet.Attributes;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Micro;

/// <summary>The frames that pass once for each message: found, read, written. Nothing may be allocated.</summary>
[MemoryDiagnoser]
public class AmqpTransferBenchmark
{
    private readonly byte[] _payload = AmqpMessage.FromData(new byte[100]).ToArray();
    private readonly byte[] _tag = [1, 2, 3, 4];
    private readonly byte[] _output = new byte[512];
    private byte[] _transfer = [];
    private byte[] _disposition = [];
    private byte[] _flow = [];

    [GlobalSetup]
    public void Setup()
    {
        _transfer = _output[..WriteTransfer()];
        _disposition = _output[..WriteDisposition()];
        _flow = _output[..WriteFlow()];
    }

    [Benchmark]
    public int ReadTransfer()
    {
        ReadOnlySequence<byte> input = new(_transfer);
        Frames.TryReadFrame(ref input, 1 << 16, out _, out ReadOnlySequence<byte> body);
        AmqpReader reader = new(body.FirstSpan);
        reader.ReadDescriptor();
        Transfer transfer = Transfer.ReadFields(ref reader);
        return transfer.DeliveryTag.Length + reader.Rest.Length;
    }

    [Benchmark]
    public int WriteTransfer()
    {
        AmqpWriter writer = new(_output);
        int frame = writer.BeginFrame(FrameType.Amqp, 0);
        new Transfer { Handle = 1, DeliveryId = 70_000, DeliveryTag = _tag, MessageFormat = 0, Settled = false }
            .Write(ref writer);
        writer.WriteRaw(_payload);
        writer.EndFrame(frame);
        return writer.Position;
    }

    [Benchmark]
    public uint ReadDisposition()
    {
        AmqpReader reader = new(_disposition.AsSpan(FrameHeader.Bytes));
        reader.ReadDescriptor();
        Disposition disposition = Disposition.ReadFields(ref reader);
        return disposition.First + (uint)DeliveryState.KindOf(disposition.State);
    }

    [Benchmark]
    public int WriteDisposition()
    {
        AmqpWriter writer = new(_output);
        int frame = writer.BeginFrame(FrameType.Amqp, 0);
        new Disposition
        {
            Role = Role.Receiver,
            First = 70_000,
            Last = 70_063,
            Settled = true,
            State = DeliveryState.Accepted,
        }.Write(ref writer);
        writer.EndFrame(frame);
        return writer.Position;
    }

    [Benchmark]
    public uint ReadFlow()
    {
        AmqpReader reader = new(_flow.AsSpan(FrameHeader.Bytes));
        reader.ReadDescriptor();
        Flow flow = Flow.ReadFields(ref reader);
        return flow.LinkCredit.GetValueOrDefault();
    }

    [Benchmark]
    public int WriteFlow()
    {
        AmqpWriter writer = new(_output);
        int frame = writer.BeginFrame(FrameType.Amqp, 0);
        new Flow
        {
            NextIncomingId = 70_000,
            IncomingWindow = 2048,
            NextOutgoingId = 1,
            OutgoingWindow = 2048,
            Handle = 1,
            DeliveryCount = 70_000,
            LinkCredit = 1000,
        }.Write(ref writer);
        writer.EndFrame(frame);
        return writer.Position;
    }
}
