using BenchmarkDotNet.Attributes;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Micro;

/// <summary>What the broker looks at in a message with all sections, and the header it writes anew.</summary>
[MemoryDiagnoser]
public class AmqpMessageBenchmark
{
    private readonly byte[] _message = new AmqpMessage
    {
        Header = new HeaderSection { Durable = true, Priority = 4, TtlMs = 60_000 },
        MessageAnnotations = new AmqpMap { { AmqpValue.Symbol("x-opt-jms-msg-type"), AmqpValue.Byte(5) } },
        Properties = new MessageProperties { MessageId = "ID:1", To = "orders", CreationTimeMs = 1, GroupId = "g" },
        ApplicationProperties = new AmqpMap { { "color", "red" }, { "size", 7 }, { "weight", 2.5 } },
        BodyKind = BodyKind.Data,
        Data = new byte[100],
    }.ToArray();

    private readonly byte[] _output = new byte[1024];
    private MessageSections _sections;

    [GlobalSetup]
    public void Setup() => _sections = MessageSections.Scan(_message);

    [Benchmark]
    public int ScanSections() => MessageSections.Scan(_message).BodyOffset;

    [Benchmark]
    public uint ReadHeader() => new MessageView(_message, _sections).Header.TtlMs.GetValueOrDefault();

    [Benchmark]
    public bool FindProperty() => new MessageView(_message, _sections).ApplicationProperties.TryGet("weight", out _);

    [Benchmark]
    public int FindGroupId() => new MessageView(_message, _sections).Properties.GroupIdUtf8.Length;

    [Benchmark]
    public int RewriteHeader()
    {
        AmqpWriter writer = new(_output);
        HeaderSection header = new MessageView(_message, _sections).Header with { DeliveryCount = 1 };
        MessageRewriter.Write(ref writer, _message, _sections, header, null);
        return writer.Position;
    }
}
