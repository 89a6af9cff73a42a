using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners;

/// <summary>
/// Binds sockets for Kestrel; what goes wrong becomes one line that names the listener and says what to do.
/// </summary>
internal sealed class EndpointBinder(
    IConnectionListenerFactory sockets, IReadOnlyList<ListenerPlan> plans, DescriptorGuard? guard)
    : IConnectionListenerFactory
{
    public async ValueTask<IConnectionListener> BindAsync(
        EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        try
        {
            IConnectionListener listener = await sockets.BindAsync(endpoint, cancellationToken);
            listener = guard is null ? listener : new GuardedListener(listener, guard);
            PlanAt(endpoint)?.Socket = listener;
            return listener;
        }
        catch (Exception e) when (e is AddressInUseException or SocketException)
        {
            ListenerPlan? plan = PlanAt(endpoint);
            string where = plan is null ? $"{endpoint}" : $"listener {plan.Name} ({plan.Address})";
            throw new StartException($"{where}: {Explain(e)}", e);
        }
    }

    // Two that take a free port each have the same end point before they are bound.
    private ListenerPlan? PlanAt(EndPoint endpoint) =>
        plans.FirstOrDefault(p => p.Socket is null && endpoint.Equals(p.Bound?.EndPoint));

    private static string Explain(Exception error)
    {
        const string InUse =
            "the port is in use; stop the other program or choose another port (--listen PROTOCOL=HOST:PORT)";
        return (error as SocketException)?.SocketErrorCode switch
        {
            null or SocketError.AddressAlreadyInUse => InUse,
            SocketError.AccessDenied =>
                "no permission to use this port; ports below 1024 need a privilege, choose another",
            SocketError.AddressNotAvailable => "this address is not one of this machine's; write one that is",
            _ => error.Message.ReplaceLineEndings(" "),
        };
    }
}
