using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Advisories;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <content>How both sides write, who the client is, and its id.</content>
internal sealed partial class OpenWireSession
{
    private const string SpacePrefix = "space:";

    private readonly List<AdvisoryFact> _facts = [];
    private ISaslServer? _sasl;
    private ConnectionInfo? _login;
    private ConnectionId? _connectionId;
    private Identity _identity = Identity.Anonymous;
    private string _space = "default";
    private string _clientId = "";
    private string? _host;
    private bool _holdsClientId;
    private bool _isFaultTolerant;
    private bool _isReconnect;

    /// <summary>A password check that the loop shall run; its end is told to <see cref="OnVerified"/>.</summary>
    public ISaslServer? SaslToVerify { get; private set; }

    /// <summary>Who logged in, for the registry of client ids. Any thread.</summary>
    public string User => _identity.Name;

    /// <summary>The connection's id as its client gave it. Any thread.</summary>
    public string PeerConnectionId => _connectionId?.Value ?? "";

    /// <summary>A password check has ended.</summary>
    public void OnVerified(in SaslStep step)
    {
        SaslToVerify = null;
        OnSaslStep(step);
    }

    private SaslContext SaslContext => new()
    {
        AllowAnonymous = Options.AllowAnonymous,
        AllowPlain = Options.AllowPlainWithoutTls || _peer.IsTls || _peer.IsLoopback,
        AnyPassword = Options.AllowAnyPassword && _peer.IsLoopback,
        ClientCertificate = _peer.ClientCertificate,
    };

    private void OnWireFormat(WireFormatInfo theirs)
    {
        if (!theirs.IsValid || theirs.Version < 1)
        {
            throw new OpenWireException("this is no OpenWire client");
        }

        var ours = new WireFormatInfo
        {
            CacheEnabled = true,
            TightEncodingEnabled = true,
            SizePrefixDisabled = true,
            CacheSize = WireLimits.CacheSlotsMax,
            MaxFrameSize = Options.FrameBytesMax,
            MaxInactivityDurationMs = Options.InactivityMs,
            MaxInactivityInitialDelayMs = Options.HandshakeTimeoutMs,
            ProviderName = "Pillarbox",
            ProviderVersion = Options.Version,
        };
        Output.Write(ours.Seal());
        _format = new WireFormat(
            Math.Min(theirs.Version, ours.Version),
            theirs.TightEncodingEnabled,
            theirs.CacheEnabled,
            !theirs.SizePrefixDisabled,
            Math.Clamp(theirs.CacheSize, 0, WireLimits.CacheSlotsMax));
        _host = theirs.Host;
        _peerFrameBytesMax = theirs.MaxFrameSize > 0 ? theirs.MaxFrameSize : long.MaxValue;
        _reader.Use(_format);
        Output.Use(_format);
        InactivityMs = Math.Clamp(theirs.MaxInactivityDurationMs, 0, Options.InactivityMs);
        State = ConnectionState.Negotiated;
        Output.Write(new BrokerInfo
        {
            BrokerId = new BrokerId { Value = Options.BrokerName },
            BrokerName = Options.BrokerName,
            BrokerUrl = Options.NodeUris.Count > 0 ? Options.NodeUris[0] : null,
            PeerBrokers = [],
        });
    }

    private void OnConnectionInfo(ConnectionInfo info)
    {
        if (string.IsNullOrEmpty(info.ConnectionId?.Value))
        {
            throw new OpenWireException("a ConnectionInfo without an id");
        }

        _login = info;
        _connectionId = info.ConnectionId;
        State = ConnectionState.LoggingIn;
        bool hasName = !string.IsNullOrEmpty(info.UserName);
        string mechanism = hasName ? SaslServers.Plain
            : _peer.ClientCertificate is not null ? SaslServers.External
            : SaslServers.Anonymous;
        _sasl = _environment.Sasl.Create(mechanism, SaslContext);
        byte[] response = hasName ? Encoding.UTF8.GetBytes($"\0{info.UserName}\0{info.Password}") : [];
        OnSaslStep(_sasl?.Step(response) ?? new SaslStep(SaslStatus.Failed, Reason: hasName
            ? "passwords are taken over TLS only"
            : "a login is needed"));
    }

    private void OnSaslStep(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Verify:
                SaslToVerify = _sasl;
                break;
            case SaslStatus.Succeeded:
                _identity = step.Identity!;
                TakeClientId();
                break;
            default:
                Log.LoginFailed(_environment.Logger, _peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                // Who was too many may come again; who is wrong need not.
                RefuseLogin(step.Status == SaslStatus.Busy
                    ? new WireThrowable(ThrowableNames.ResourceAllocation, "too many logins at once")
                    : new WireThrowable(ThrowableNames.Security, "user name or password is wrong"));
                break;
        }
    }

    // The same client that comes back takes its id from the connection that it lost; anybody else is refused.
    private void TakeClientId()
    {
        _space = SelectSpace();
        _clientId = string.IsNullOrEmpty(_login!.ClientId) ? PeerConnectionId : _login.ClientId;
        IClientHolder? holder = _environment.Clients.Take(_space, _clientId, _owner);
        if (holder is null)
        {
            _holdsClientId = true;
            Connect();
        }
        else if (holder.User == User && holder.ConnectionId == PeerConnectionId)
        {
            WaitFor(holder.GiveUpAsync(), TakeClientId);
        }
        else
        {
            RefuseLogin(new WireThrowable(
                ThrowableNames.InvalidClientId, $"the client id '{_clientId}' is in use by another connection"));
        }
    }

    // Hosts are named for many reasons: only the name of a space, or the prefix, selects one.
    private string SelectSpace()
    {
        if (_host is not null && _host.StartsWith(SpacePrefix, StringComparison.Ordinal))
        {
            return _host[SpacePrefix.Length..];
        }

        return _host is not null && Options.AddressSpaces.Contains(_host) ? _host : _identity.AddressSpace ?? _space;
    }

    private void Connect()
    {
        try
        {
            _client = _environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = _space,
                    Identity = _identity,
                    ClientId = _clientId,
                    Protocol = "openwire",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _owner);
        }
        catch (BrokerException refusal)
        {
            RefuseLogin(BrokerErrors.ToThrowable(refusal));
            return;
        }

        ConnectionInfo login = _login!;
        _login = null;
        (_isFaultTolerant, _isReconnect) = (login.FaultTolerant, login.FailoverReconnect);
        State = ConnectionState.Connected;
        Tell(AdvisoryTopics.Connection(_space, login, _owner.Advisories));
        if (login.ResponseRequired)
        {
            Output.Respond(login.CommandId);
        }

        if (login.Manageable || login.FaultTolerant)
        {
            Output.Write(new ConnectionControl
            {
                ConnectedBrokers = string.Join(',', Options.NodeUris),
                FaultTolerant = Options.NodeUris.Count > 1,
            });
        }
    }

    private void RefuseLogin(WireThrowable exception)
    {
        bool isFinal = exception.ClassName == ThrowableNames.Security;
        Refuse(_login!, isFinal ? exception with { ClassName = ThrowableNames.LoginRefused } : exception);
        State = ConnectionState.Ended;
    }

    private void LeaveClientId()
    {
        if (_holdsClientId)
        {
            _holdsClientId = false;
            _environment.Clients.Release(_space, _clientId, _owner);
        }
    }

    private void Tell(AdvisoryFact fact)
    {
        _facts.Add(fact);
        _environment.Advisories.Add(fact);
    }

    private void Untell(IEnumerable<AdvisoryFact> facts)
    {
        foreach (AdvisoryFact fact in facts)
        {
            _facts.Remove(fact);
            _environment.Advisories.Remove(fact);
        }
    }

    private void ForgetFacts()
    {
        foreach (AdvisoryFact fact in _facts)
        {
            _environment.Advisories.Remove(fact);
        }

        _facts.Clear();
    }
}
