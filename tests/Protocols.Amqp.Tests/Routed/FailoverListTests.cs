using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Routed;

/// <summary>What peers say in their open of further places.</summary>
public sealed class FailoverListTests
{
    [Fact]
    public void What_is_written_is_read_back()
    {
        FailoverServer[] servers =
        [
            new("one", 5672, "amqp", null), new("two", null, null, "vhost"), new("::1", 1, "wss", null),
        ];
        Assert.Equal(servers, FailoverList.Read(OpenWith(FailoverList.Write(servers))));
    }

    [Fact]
    public void What_cannot_be_read_is_left_out()
    {
        var withNumber = new AmqpMap();
        withNumber.AddSymbol("network-host", "good");
        withNumber.AddSymbol("port", 7u);
        var badPort = new AmqpMap();
        badPort.AddSymbol("network-host", "bad");
        badPort.AddSymbol("port", "99999");
        var list = AmqpValue.List(
            AmqpValue.Map(withNumber), AmqpValue.Map(badPort), AmqpValue.Map(new AmqpMap()), "text", AmqpValue.Null);
        Assert.Equal([new FailoverServer("good", 7, null, null)], FailoverList.Read(OpenWith(list)));
    }

    [Fact]
    public void No_list_is_not_an_empty_one()
    {
        Assert.Null(FailoverList.Read(null));
        Assert.Null(FailoverList.Read(new Open { ContainerId = "c" }));
        Assert.Null(FailoverList.Read(OpenWith("text")));
        Assert.Empty(FailoverList.Read(OpenWith(AmqpValue.List([])))!);
    }

    [Fact]
    public void A_long_list_is_cut()
    {
        AmqpValue list =
            FailoverList.Write(Enumerable.Range(1, 1000).Select(i => new FailoverServer("h", i, null, null)));
        Assert.Equal(FailoverList.ServersMax, FailoverList.Read(OpenWith(list))!.Count);
    }

    private static Open OpenWith(AmqpValue list)
    {
        var properties = new AmqpMap();
        properties.AddSymbol("failover-server-list", list);
        return new Open { ContainerId = "c", Properties = properties };
    }
}
