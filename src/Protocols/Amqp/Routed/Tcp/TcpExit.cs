namespace Pillarbox.Protocols.Amqp.Routed.Tcp;

/// <summary>A service's exit: a server that the node connects to for clients anywhere. Any thread.</summary>
public sealed class TcpExit
{
    private readonly Func<Task<IServiceSocket>> _dial;

    internal TcpExit(string address, Func<Task<IServiceSocket>> dial) => (Address, _dial) = (address, dial);

    /// <summary>The service's address in the network.</summary>
    public string Address { get; }

    /// <summary>What went through it.</summary>
    public TcpTally Tally { get; } = new();

    /// <summary>Whether the network gives it clients: not so while its server is not reached and others are
    /// there.</summary>
    public bool IsOffered { get; internal set; }

    /// <summary>Whether it was taken back for good.</summary>
    public bool IsClosed { get; internal set; }

    /// <summary>Over what follows, and over what says whether it is offered.</summary>
    internal Lock Gate { get; } = new();

    internal List<(IRoute Route, TcpOutlet Outlet)> Outlets { get; } = [];

    /// <summary>Connects to the server.</summary>
    public Task<IServiceSocket> DialAsync() => _dial();
}
