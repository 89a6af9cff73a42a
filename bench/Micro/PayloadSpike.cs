using BenchmarkDotNet.Attributes;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Micro;

/// <summary>
/// docs/decisions/0002: a message comes in and goes out by AMQP with a new header. Either its bytes stay and only the
/// header section is read and written anew, or it is decoded to objects and encoded again. Six application properties.
/// </summary>
[MemoryDiagnoser]
public class PayloadSpike
{
    private readonly byte[] _output = new byte[4096];
    private byte[] _message = [];

    [Params(100, 1024)]
    public int BodyBytes { get; set; }

    [GlobalSetup]
    public void Setup() => _message = new AmqpMessage
    {
        Header = new HeaderSection { Durable = true, Priority = 4 },
        MessageAnnotations = new AmqpMap { { AmqpValue.Symbol("x-opt-jms-msg-type"), AmqpValue.Byte(5) } },
        Properties = new MessageProperties { MessageId = "ID:4711", To = "orders", CreationTimeMs = 1, GroupId = "g" },
        ApplicationProperties = new AmqpMap
        {
            { "color", "red" }, { "region", "europe" }, { "size", 7 }, { "weight", 2.5 }, { "urgent", true },
            { "number", 1L },
        },
        BodyKind = BodyKind.Data,
        Data = new byte[BodyBytes],
    }.ToArray();

    [Benchmark(Baseline = true)]
    public int PassThrough()
    {
        MessageSections sections = MessageSections.Scan(_message);
        HeaderSection header = new MessageView(_message, sections).Header with { DeliveryCount = 1 };
        AmqpWriter writer = new(_output);
        MessageRewriter.Write(ref writer, _message, sections, header, null);
        return writer.Position;
    }

    [Benchmark]
    public int DecodeAndEncode()
    {
        AmqpMessage message = AmqpMessage.Read(_message);
        HeaderSection header = (message.Header ?? new HeaderSection()) with { DeliveryCount = 1 };
        AmqpWriter writer = new(_output);
        (message with { Header = header }).Write(ref writer);
        return writer.Position;
    }
}
