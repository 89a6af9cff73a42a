using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed.Tcp;

namespace Pillarbox.Router.Tests.Routed;

/// <summary>TCP connections over a network of one node, on one thread, with sockets that the test moves.</summary>
public sealed class TcpServiceTests : IDisposable
{
    private readonly NodeNetwork _network = new(new NodeNetworkOptions { Id = "A", Random = new SeededRandom(5) });
    private readonly TcpServices _services;
    private readonly MemorySocket _client = new();
    private readonly MemorySocket _server = new();
    private readonly TcpEntrance _entrance;

    public TcpServiceTests()
    {
        _services = new TcpServices(_network, NullLoggerFactory.Instance, ownThreads: false);
        _entrance = _services.OpenEntrance("db")!;
    }

    public void Dispose()
    {
        _services.Dispose();
        _network.Dispose();
    }

    [Fact]
    public void Octets_pass_and_each_direction_ends_for_itself()
    {
        Offer(Task.FromResult<IServiceSocket>(_server));
        _services.Accept(_entrance, _client);
        _client.Feed(1, 2, 3);
        Assert.Equal([1, 2, 3], _server.Sent);
        _client.FeedEnd();
        Assert.True(_server.HasOutputEnded);
        Assert.Equal((null, null), (_client.EndedOrderly, _server.EndedOrderly));
        _server.Feed(4, 5);
        Assert.Equal([4, 5], _client.Sent);
        Assert.False(_client.HasOutputEnded);
        _server.FeedEnd();
        Assert.True(_client.HasOutputEnded);
        Assert.Equal((true, true), (_client.EndedOrderly, _server.EndedOrderly));
        Assert.Equal(0, _services.ConnectionCount);
    }

    [Fact]
    public void The_server_may_speak_first_and_end_first()
    {
        Offer(Task.FromResult<IServiceSocket>(_server));
        _services.Accept(_entrance, _client);
        _server.Feed(9);
        _server.FeedEnd();
        Assert.Equal([9], _client.Sent);
        Assert.True(_client.HasOutputEnded);
        _client.Feed(7);
        Assert.Equal([7], _server.Sent);
        _client.FeedEnd();
        Assert.Equal((true, true), (_client.EndedOrderly, _server.EndedOrderly));
    }

    [Fact]
    public void A_server_that_takes_nothing_stops_the_reading_of_its_client()
    {
        Offer(Task.FromResult<IServiceSocket>(_server));
        _services.Accept(_entrance, _client);
        _server.IsBlocked = true;
        byte[] octets = new byte[4 * TcpServices.PiecesMax * TcpServices.PieceBytes];
        new SeededRandom(7).Fill(octets);
        _client.Feed(octets);
        int taken = octets.Length - _client.Unread;
        Assert.InRange(taken, TcpServices.PieceBytes, TcpServices.PiecesMax * TcpServices.PieceBytes);
        _server.Unblock();
        Assert.Equal(0, _client.Unread);
        Assert.Equal(octets, _server.Sent);
    }

    [Fact]
    public void What_comes_while_the_server_is_dialled_waits()
    {
        var dial = new TaskCompletionSource<IServiceSocket>();
        Offer(dial.Task);
        _services.Accept(_entrance, _client);
        _client.Feed(1, 2);
        _client.FeedEnd();
        Assert.Null(_client.EndedOrderly);
        dial.SetResult(_server);
        Assert.Equal([1, 2], _server.Sent);
        Assert.True(_server.HasOutputEnded);
    }

    [Fact]
    public void Without_a_server_the_client_is_cut_off()
    {
        _services.Accept(_entrance, _client);
        Assert.False(_client.EndedOrderly);
        Assert.Equal(0, _services.ConnectionCount);
    }

    [Fact]
    public void A_server_that_is_not_reached_cuts_its_client_off()
    {
        Offer(Task.FromException<IServiceSocket>(new IOException("refused")));
        _services.Accept(_entrance, _client);
        Assert.False(_client.EndedOrderly);
        Assert.Equal(0, _services.ConnectionCount);
    }

    [Fact]
    public void A_server_that_is_not_reached_gets_no_clients_while_there_are_others()
    {
        TcpExit? told = null;
        int reached = 0;
        _services.OnWithdrawn = exit => told = exit;
        TcpExit dead = _services.OpenExit(
            "db", () => Task.FromException<IServiceSocket>(new IOException("refused")))!;
        _services.Accept(_entrance, _client);
        Assert.Equal((true, true), (dead.IsOffered, told is null));
        _services.OpenExit("db", () =>
        {
            reached++;
            return Task.FromResult<IServiceSocket>(new MemorySocket());
        });
        for (int i = 0; i < 10; i++)
        {
            _services.Accept(_entrance, new MemorySocket());
        }

        Assert.Equal((false, true), (dead.IsOffered, told == dead));
        Assert.InRange(reached, 9, 10);
        _services.Restore(dead);
        Assert.True(dead.IsOffered);
        _services.CloseExit(dead);
        _services.Restore(dead);
        Assert.False(dead.IsOffered);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_breaks_off_breaks_the_other_off(bool isClient)
    {
        Offer(Task.FromResult<IServiceSocket>(_server));
        _services.Accept(_entrance, _client);
        _client.Feed(1);
        (isClient ? _client : _server).Break();
        Assert.Equal((false, false), (_client.EndedOrderly, _server.EndedOrderly));
        Assert.Equal(0, _services.ConnectionCount);
    }

    [Fact]
    public void The_end_of_the_node_ends_all()
    {
        Offer(Task.FromResult<IServiceSocket>(_server));
        _services.Accept(_entrance, _client);
        _services.Dispose();
        Assert.Equal((false, false), (_client.EndedOrderly, _server.EndedOrderly));
    }

    private void Offer(Task<IServiceSocket> server) => Assert.NotNull(_services.OpenExit("db", () => server));
}
