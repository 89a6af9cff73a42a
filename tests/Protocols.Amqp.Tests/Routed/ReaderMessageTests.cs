using Pillarbox.Protocols.Amqp.Routed.Reading;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Routed;

/// <summary>What the node of a stream and the node of its reader say to each other.</summary>
public sealed class ReaderMessageTests
{
    [Fact]
    public void Number_stands_before_the_annotations_and_the_rest_stays()
    {
        var annotations = new AmqpMap();
        annotations.AddSymbol("x-opt-offset", "17");
        byte[] message = new AmqpMessage
        {
            Header = new HeaderSection { Durable = true },
            MessageAnnotations = annotations,
            BodyKind = BodyKind.Data,
            Data = new byte[] { 1, 2, 3 },
        }.ToArray();

        byte[] numbered = ReaderMessage.Number(message, 5_000_000_000);

        Assert.Null(ReaderMessage.NumberOf(message));
        Assert.Equal(5_000_000_000, ReaderMessage.NumberOf(numbered));
        AmqpMessage read = AmqpMessage.Read(numbered);
        Assert.True(read.Header!.Value.Durable);
        Assert.Equal(2, read.MessageAnnotations!.Count);
        Assert.Equal("x-opt-offset", read.MessageAnnotations[1].Key.AsText());
        Assert.Equal([1, 2, 3], read.Data.ToArray());
    }

    [Fact]
    public void Message_without_annotations_gets_some()
    {
        byte[] numbered = ReaderMessage.Number(AmqpMessage.FromValue(7).ToArray(), 1);
        Assert.Equal(1, ReaderMessage.NumberOf(numbered));
        Assert.Equal(AmqpValue.Int(7), AmqpMessage.Read(numbered).Value);
    }

    [Fact]
    public void Question_says_what_the_attach_said()
    {
        var filter = new AmqpMap();
        filter.AddSymbol("rabbitmq:stream-offset-spec", "first");
        var properties = new AmqpMap();
        properties.AddSymbol("partition", 2);
        byte[] question = ReaderMessage.Open(ReaderMessage.DoorOf("events"), "amqp:/_topo/0/C/temp.1", new Attach
        {
            Name = "reader",
            Handle = 3,
            Role = Role.Receiver,
            Source = new Source { Address = "events", Filter = filter },
            Properties = properties,
        });

        (string opcode, string? replyTo, AmqpMap body) = ReaderMessage.Read(question)!.Value;
        Attach attach = ReaderMessage.AttachOf(body)!;

        Assert.Equal(("OPEN", "amqp:/_topo/0/C/temp.1"), (opcode, replyTo));
        Assert.Equal(("reader", "events"), (attach.Name, attach.Source!.Address));
        Assert.Equal(filter, attach.Source.Filter);
        Assert.Equal(properties, attach.Properties);
    }

    [Fact]
    public void What_is_no_question_is_not_understood()
    {
        Assert.Null(ReaderMessage.Read(AmqpMessage.FromValue("open").ToArray()));
        Assert.Null(ReaderMessage.AttachOf(new AmqpMap()));
        Assert.Throws<AmqpException>(() => ReaderMessage.Read([0x00, 0x53, 0x77, 0xa1, 0x09]));
    }

    [Theory]
    [InlineData("_$broker.stream/events", true)]
    [InlineData("amqp:/_topo/0/A/_$broker.queue/x", true)]
    [InlineData("events", false)]
    [InlineData("_$temp.1", false)]
    public void Addresses_of_nodes_are_theirs(string address, bool isReserved) =>
        Assert.Equal(isReserved, ReaderMessage.IsReserved(address));
}
