using System.Net;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>The router's policy: whether the connection is let in, and what it may begin.</content>
internal sealed partial class ConnectionEndpoint
{
    private AmqpOptions? _limited;
    private AmqpOptions? _planned;
    private AmqpOptions? _plannedFrom;

    /// <summary>The rules that the connection came in by; null: there are none for it.</summary>
    public ConnectionPolicy? Policy { get; private set; }

    /// <summary>The node's limits, or the narrower ones of the listener and of the policy.</summary>
    public AmqpOptions Options => _limited ?? Planned;

    // The node's may change once, when its development mode ends.
    private AmqpOptions Planned
    {
        get
        {
            if (_planned is null || !ReferenceEquals(_plannedFrom, Environment.Options))
            {
                _plannedFrom = Environment.Options;
                _planned = _plan.Limits?.Apply(_plannedFrom) ?? _plannedFrom;
            }

            return _planned;
        }
    }

    /// <summary>Deliveries that a link through the network may have on their way.</summary>
    public int LinkCapacity => _plan.Limits?.LinkCapacity ?? Network?.LinkCapacity ?? 0;

    /// <summary>The virtual host that the client's addresses are within; null: they are the network's.</summary>
    public string? Tenant => !_plan.IsMultiTenant || Role != ConnectionRole.Normal ? null
        : (Policy?.Vhost?.Hostname ?? _plan.PolicyVhost ?? HostMeant) is { Length: > 0 } vhost ? vhost
        : null;

    // The host that the peer wants: its open says it, else the name that it asked for under TLS (SNI).
    private string? HostMeant => PeerOpen?.Hostname is { Length: > 0 } named ? named : _peer.Tls?.ServerName;

    // Routers are judged by the permissions of who logs in.
    private bool IsPoliced => IsInitiator
        ? _plan.PolicyVhost is not null
        : Role is ConnectionRole.Normal or ConnectionRole.RouteContainer;

    // False: the connection was told that it is not let in.
    private bool TryEnterPolicy()
    {
        if (Environment.Policy is not { } engine || !IsPoliced)
        {
            return true;
        }

        var request = new PolicyRequest
        {
            User = Identity.Name,
            RemoteHost = IPEndPoint.TryParse(RemoteEndPoint, out IPEndPoint? remote) ? $"{remote.Address}" : "",
            Hostname = HostMeant,
            AddressSpace = AddressSpace,
            ListenerVhost = _plan.PolicyVhost,
            IsByNode = IsInitiator,
            Rights = _sasl.Rights,
        };
        Policy = engine.Open(request, out string? denial);
        if (Policy is not null)
        {
            _limited = Policy.Limit(Planned);
            return true;
        }

        Log.PolicyDenied(Environment.Logger, RemoteEndPoint, denial!);
        if (!_openSent)
        {
            WriteOpen(isRefused: true);
        }

        Close(ConnectionPolicy.ConnectionDenied);
        return false;
    }

    // A session that is one too many has begun, and ends.
    private void CheckSession(AmqpSession session)
    {
        if (Policy?.AllowsSession(_sessions.CountOfPeer - 1) == false)
        {
            session.End(ConnectionPolicy.SessionDenied);
        }
    }

    /// <summary>What is wrong by the policy with a link that the peer begins; null: nothing.</summary>
    public AmqpError? CheckPolicy(Attach attach) =>
        Policy?.Check(attach, () => Names.CountOf(attach.Role));

    private void LeavePolicy() => Policy?.Close();
}
