using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.OpenWire.Logins;

/// <summary>
/// Who the client is by its ConnectionInfo, and whether it is let in: user, address space, client id. Pure: a check
/// that takes long is <see cref="ToVerify"/>, which the loop awaits. Used by the connection's loop, where nothing else
/// is said.
/// </summary>
internal sealed class OpenWireLogin(OpenWireEnvironment environment, PeerInfo peer, ISessionOwner owner)
{
    private const string SpacePrefix = "space:";

    private ISaslServer? _sasl;
    private ConnectionInfo? _info;
    private string? _host;
    private Identity _identity = Identity.Anonymous;
    private bool _holdsClientId;

    /// <summary>A password check that the loop shall run; its end is told to <see cref="OnVerified"/>.</summary>
    public ISaslServer? ToVerify { get; private set; }

    /// <summary>Who logged in, for the registry of client ids. Any thread.</summary>
    public string User => _identity.Name;

    /// <summary>The connection's id as its client gave it; null: it has not come so far. Any thread.</summary>
    public ConnectionId? Connection { get; private set; }

    /// <summary>The address space.</summary>
    public string Space { get; private set; } = "default";

    /// <summary>The name of the client's durable subscriptions.</summary>
    public string ClientId { get; private set; } = "";

    private string ConnectionName => Connection?.Value ?? "";

    private SaslContext SaslContext => new()
    {
        AllowAnonymous = environment.Options.AllowAnonymous,
        AllowPlain = environment.Options.AllowPlainWithoutTls || peer.IsTls || peer.IsLoopback,
        AnyPassword = environment.Options.AllowAnyPassword && peer.IsLoopback,
        ClientCertificate = peer.ClientCertificate,
    };

    /// <summary>The client says who it is. <paramref name="host"/>: whom it meant to reach.</summary>
    /// <exception cref="OpenWireException">It does not name its connection.</exception>
    public LoginStep Begin(ConnectionInfo info, string? host)
    {
        if (string.IsNullOrEmpty(info.ConnectionId?.Value))
        {
            throw new OpenWireException("a ConnectionInfo without an id");
        }

        _info = info;
        _host = host;
        Connection = info.ConnectionId;
        bool hasName = !string.IsNullOrEmpty(info.UserName);
        string mechanism = hasName ? SaslServers.Plain
            : peer.ClientCertificate is not null ? SaslServers.External
            : SaslServers.Anonymous;
        _sasl = environment.Sasl.Create(mechanism, SaslContext);
        byte[] response = hasName ? Encoding.UTF8.GetBytes($"\0{info.UserName}\0{info.Password}") : [];
        return OnStep(_sasl?.Step(response) ?? new SaslStep(SaslStatus.Failed, Reason: hasName
            ? "passwords are taken over TLS only"
            : "a login is needed"));
    }

    /// <summary>A password check has ended.</summary>
    public LoginStep OnVerified(in SaslStep step)
    {
        ToVerify = null;
        return OnStep(step);
    }

    /// <summary>The same client that comes back takes its id from the connection that it lost; anybody else is
    /// refused.</summary>
    public LoginStep TakeClientId()
    {
        Space = SelectSpace();
        ClientId = string.IsNullOrEmpty(_info!.ClientId) ? ConnectionName : _info.ClientId;
        IClientHolder? holder = environment.Clients.Take(Space, ClientId, owner);
        if (holder is null)
        {
            _holdsClientId = true;
            return Connect();
        }

        return holder.User == User && holder.ConnectionId == ConnectionName
            ? new LoginStep { Gate = holder.GiveUpAsync() }
            : Refuse(new WireThrowable(
                ThrowableNames.InvalidClientId, $"the client id '{ClientId}' is in use by another connection"));
    }

    /// <summary>The connection is over: the client id is free.</summary>
    public void Leave()
    {
        _sasl?.Dispose();
        if (_holdsClientId)
        {
            _holdsClientId = false;
            environment.Clients.Release(Space, ClientId, owner);
        }
    }

    private static LoginStep Refuse(WireThrowable reason) => new()
    {
        Refusal = reason.ClassName == ThrowableNames.Security
            ? reason with { ClassName = ThrowableNames.LoginRefused }
            : reason,
    };

    private LoginStep OnStep(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Verify:
                ToVerify = _sasl;
                return default;
            case SaslStatus.Succeeded:
                _identity = step.Identity!;
                return TakeClientId();
            default:
                Log.LoginFailed(environment.Logger, peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                // Who was too many may come again; who is wrong need not.
                return Refuse(step.Status == SaslStatus.Busy
                    ? new WireThrowable(ThrowableNames.ResourceAllocation, "too many logins at once")
                    : new WireThrowable(ThrowableNames.Security, "user name or password is wrong"));
        }
    }

    // Hosts are named for many reasons: only the name of a space, or the prefix, selects one.
    private string SelectSpace()
    {
        if (_host is not null && _host.StartsWith(SpacePrefix, StringComparison.Ordinal))
        {
            return _host[SpacePrefix.Length..];
        }

        return _host is not null && environment.Options.AddressSpaces.Contains(_host)
            ? _host : _identity.AddressSpace ?? Space;
    }

    private LoginStep Connect()
    {
        // Its password is nobody's business any more.
        _info = null;
        try
        {
            return new LoginStep
            {
                Client = environment.Broker.Connect(
                    new ClientInfo
                    {
                        AddressSpace = Space,
                        Identity = _identity,
                        ClientId = ClientId,
                        Protocol = "openwire",
                        RemoteEndPoint = peer.RemoteEndPoint,
                    },
                    owner),
            };
        }
        catch (BrokerException refusal)
        {
            return Refuse(BrokerErrors.ToThrowable(refusal));
        }
    }
}
