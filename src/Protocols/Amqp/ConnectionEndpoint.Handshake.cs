using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Logins;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <content>Protocol headers (part 2 section 2.2), SASL (part 5 section 5.3), open and close (part 2 section
/// 2.4).</content>
internal sealed partial class ConnectionEndpoint
{
    // Part 5 section 5.3.1: SASL frames are at most MIN-MAX-FRAME-SIZE long. Tokens do not fit into that, and whoever
    // sends one sends a longer frame.
    private uint SaslFrameBytesMax => Environment.Sasl.TakesTokens || _plan.LoginService is not null
        ? (uint)Math.Min(Options.MaxFrameBytes, Options.PreAuthBytesMax)
        : WireLimits.FrameBytesMin;

    private const string SpacePrefix = "vhost:";
    private const string SoleConnection = "sole-connection-for-container";
    /// <summary>Messages that are delivered not before a time: the annotations x-opt-delivery-time and
    /// x-opt-delivery-delay.</summary>
    public const string DelayedDelivery = "DELAYED_DELIVERY";

    private static readonly string[] Capabilities =
        ["ANONYMOUS-RELAY", DelayedDelivery, "SHARED-SUBS", SoleConnection];

    private BrokerClient? _client;
    private ISaslServer? _sasl;
    private RelayedLogin? _relay;
    private bool _openSent;
    private bool _entered;

    /// <summary>The connection's handle on the broker; there is one from the open on.</summary>
    public BrokerClient Client => _client!;

    /// <summary>Whether <see cref="Client"/> is there.</summary>
    public bool HasClient => _client is not null;

    /// <summary>Who logged in.</summary>
    public Identity Identity { get; private set; } = Identity.Anonymous;

    /// <summary>When what the peer logged in with is no longer good, in milliseconds since the Unix epoch; null: it has
    /// no end.</summary>
    public long? LoginEndsAtMs { get; private set; }

    /// <summary>The peer's name for itself, from its open.</summary>
    public string ContainerId { get; private set; } = "";

    /// <summary>The address space: what the open's hostname, or else that of TLS, selects, else the user's own, else
    /// the default.</summary>
    public string AddressSpace { get; private set; } = "default";

    /// <summary>The peer's idle-time-out in milliseconds; 0: none.</summary>
    public uint PeerIdleTimeoutMs { get; private set; }

    /// <summary>A login check that takes long; the loop awaits it and calls <see cref="OnSaslVerified"/>.</summary>
    public ISaslServer? SaslToVerify { get; private set; }

    /// <summary>The long check is done.</summary>
    public void OnSaslVerified(in SaslStep step)
    {
        SaslToVerify = null;
        if (State != ConnectionState.Sasl)
        {
            return;
        }

        if (_relay is { Mechanism.Length: 0 } relay && step.Status == SaslStatus.Challenge)
        {
            OfferRelayed(relay);
            return;
        }

        OnSaslStep(step);
    }

    /// <summary>Closes with an error; when nothing was opened yet, opens first (part 2 section 2.4.3).</summary>
    public void Close(AmqpError? error)
    {
        if (State is ConnectionState.CloseSent or ConnectionState.Ended)
        {
            return;
        }

        if (State < ConnectionState.HeadersExchanged)
        {
            State = ConnectionState.Ended;
            return;
        }

        EndError = error ?? EndError;
        ReleaseSessions(LinkEnd.ConnectionClose);
        if (!_openSent)
        {
            WriteOpen();
        }

        Frames.Write(new Close { Error = error });
        State = ConnectionState.CloseSent;
    }

    /// <summary>The connection is gone: gives back everything. Called once, by the loop, at the end.</summary>
    public void Dispose()
    {
        if (State != ConnectionState.Ended && HasClient)
        {
            ReleaseSessions(LinkEnd.ConnectionLost);
        }

        State = ConnectionState.Ended;
        LeaveNetwork();
        LeavePolicy();
        if (_entered)
        {
            Environment.Containers.Leave(Container);
        }

        _client?.Flush();
        _client?.Dispose();
        _sasl?.Dispose();
        ReturnScratch();
    }

    private bool ReceiveHeader(ref ReadOnlySequence<byte> input)
    {
        switch (ProtocolHeader.TryRead(ref input, out ProtocolHeader header))
        {
            case HeaderMatch.NeedMore:
                return false;
            case HeaderMatch.Found:
                CountPreAuth(ProtocolHeader.Bytes);
                OnHeader(header);
                return true;
            default:
                RefuseHeader();
                return true;
        }
    }

    private void OnHeader(ProtocolHeader header)
    {
        bool bare = header == new ProtocolHeader(ProtocolId.Amqp);
        if (bare && (State == ConnectionState.SaslDone || Options.AllowAnonymous))
        {
            Frames.Write(header);
            State = ConnectionState.HeadersExchanged;
        }
        else if (State == ConnectionState.Start && header == new ProtocolHeader(ProtocolId.Sasl))
        {
            Frames.Write(header);
            State = ConnectionState.Sasl;
            BeginSasl();
        }
        else
        {
            RefuseHeader();
        }
    }

    // What another program offers is asked of it first.
    private void BeginSasl()
    {
        if (_plan.LoginService is { } service)
        {
            _sasl = SaslToVerify = _relay = service.Begin(IsRelayed);
        }
        else
        {
            Frames.Write(new SaslMechanisms { ServerMechanisms = [.. Environment.Sasl.Offer(SaslContext)] });
        }
    }

    private void OfferRelayed(RelayedLogin relay)
    {
        Frames.Write(new SaslMechanisms { ServerMechanisms = [.. relay.Offered] });
        if (relay.Offered.Count == 0)
        {
            Log.LoginFailed(
                Environment.Logger, _peer.RemoteEndPoint,
                $"the login service {_plan.LoginService!.Name} offers nothing that may be used on this connection");
        }
    }

    // EXTERNAL would be by the node's own certificate there, not by the client's. What is sent in the clear counts as
    // for the node's own users, and nobody need not log in where that is asked for.
    private bool IsRelayed(string mechanism) => mechanism switch
    {
        SaslServers.External => false,
        SaslServers.Anonymous => Options.AllowAnonymous,
        SaslServers.Plain or SaslServers.OAuthBearer or "XOAUTH2" or "LOGIN" => SaslContext.AllowPlain,
        _ => true,
    } && _plan.Limits?.Allows(mechanism) != false;

    private SaslContext SaslContext => new()
    {
        AllowAnonymous = Options.AllowAnonymous,
        AllowPlain = Options.AllowPlainWithoutTls || _peer.IsTls || _peer.IsLoopback,
        AnyPassword = Options.AllowAnyPassword && _peer.IsLoopback,
        ClientCertificate = _peer.ClientCertificate,
        CertificateUser = _plan.CertificateUser,
        Mechanisms = _plan.Limits?.Mechanisms ?? [],
    };

    // Part 2 section 2.2: the answer to a header that is not supported is one that is, and the end.
    private void RefuseHeader()
    {
        Frames.Write(new ProtocolHeader(State == ConnectionState.SaslDone ? ProtocolId.Amqp : ProtocolId.Sasl));
        State = ConnectionState.Ended;
    }

    private void OnSaslFrame(ReadOnlyMemory<byte> body)
    {
        var reader = new AmqpReader(body.Span);
        ulong descriptor = reader.ReadDescriptor();
        bool hasBegun = _relay is null ? _sasl is not null : _relay.Mechanism.Length > 0;
        if (descriptor == SaslInit.DescriptorCode && !hasBegun && SaslToVerify is null)
        {
            OnSaslInit(SaslInit.ReadFields(ref reader));
        }
        else if (descriptor == SaslResponse.DescriptorCode && hasBegun && SaslToVerify is null)
        {
            OnSaslStep(_sasl!.Step(SaslResponse.ReadFields(ref reader).Response));
        }
        else
        {
            EndSasl(SaslCode.Sys);
        }
    }

    private void OnSaslInit(SaslInit init)
    {
        bool isOffered = true;
        if (_relay is not null)
        {
            isOffered = _relay.TryChoose(init.Mechanism, init.Hostname);
        }
        else
        {
            _sasl = Environment.Sasl.Create(init.Mechanism, SaslContext);
        }

        if (_sasl is null || !isOffered)
        {
            EndSasl(SaslCode.Auth);
            return;
        }

        SaslMechanism = init.Mechanism;
        OnSaslStep(_sasl.Step(init.InitialResponse));
    }

    private void OnSaslStep(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Challenge:
                Frames.Write(new SaslChallenge { Challenge = step.Data.ToArray() });
                break;
            case SaslStatus.Verify:
                SaslToVerify = _sasl;
                break;
            case SaslStatus.Succeeded:
                Identity = step.Identity!;
                LoginEndsAtMs = step.ExpiresAtMs;
                byte[]? data = step.Data.IsEmpty ? null : step.Data.ToArray();
                Frames.Write(new SaslOutcome { Code = SaslCode.Ok, AdditionalData = data });
                State = ConnectionState.SaslDone;
                break;
            default:
                Log.LoginFailed(Environment.Logger, _peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                EndSasl(step.Status == SaslStatus.Busy ? SaslCode.SysTemp : SaslCode.Auth);
                break;
        }
    }

    private void EndSasl(SaslCode code)
    {
        Frames.Write(new SaslOutcome { Code = code });
        State = ConnectionState.Ended;
    }

    private void OnFirstFrame(ulong descriptor, ref AmqpReader reader)
    {
        if (descriptor != Open.DescriptorCode)
        {
            throw new AmqpException(AmqpErrorCondition.IllegalState, "the first frame must be an open");
        }

        Open open = Open.ReadFields(ref reader);
        if (open.MaxFrameSize < WireLimits.FrameBytesMin)
        {
            throw new AmqpException(
                AmqpErrorCondition.InvalidField,
                $"max-frame-size {open.MaxFrameSize} is below {WireLimits.FrameBytesMin}");
        }

        PeerOpen = open;
        ContainerId = open.ContainerId;
        PeerFrameBytesMax = (uint)Math.Min(open.MaxFrameSize, (uint)Options.MaxFrameBytes);
        Frames.FrameBytesMax = open.MaxFrameSize;
        PeerIdleTimeoutMs = open.IdleTimeoutMs ?? 0;
        SelectAddressSpace(HostMeant);
        bool sole = open.DesiredCapabilities?.Contains(SoleConnection) == true;
        if (IsNamed && !Environment.Containers.TryEnter(Container, sole))
        {
            RefuseContainer();
            return;
        }

        _entered = IsNamed;
        if (!TryEnterPolicy())
        {
            return;
        }

        if (!_openSent)
        {
            WriteOpen();
        }

        Connect();
    }

    // Hosts are named for many reasons: only the name of a space, or the prefix, selects one.
    private void SelectAddressSpace(string? hostname)
    {
        if (hostname is not null && hostname.StartsWith(SpacePrefix, StringComparison.Ordinal))
        {
            AddressSpace = hostname[SpacePrefix.Length..];
        }
        else if (hostname is not null && Options.AddressSpaces.Contains(hostname))
        {
            AddressSpace = hostname;
        }
        else
        {
            AddressSpace = Identity.AddressSpace ?? AddressSpace;
        }
    }

    // The open says that a close follows at once, so that a client does not take the connection for made.
    private void RefuseContainer()
    {
        WriteOpen(refused: true);
        var info = new AmqpMap();
        info.AddSymbol("invalid-field", AmqpValue.Symbol("container-id"));
        Close(new AmqpError
        {
            Condition = AmqpErrorCondition.InvalidField,
            Description = $"a connection of the container '{ContainerId}' exists already",
            Info = info,
        });
    }

    private void Connect()
    {
        try
        {
            _client = Environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = AddressSpace,
                    Identity = Identity,
                    ClientId = ContainerId,
                    Protocol = "amqp",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _wakeable);
            CheckRouter();
            State = ConnectionState.Opened;
            JoinNetwork();
        }
        catch (BrokerException refusal)
        {
            Close(BrokerErrors.ToError(refusal));
        }
    }

    // What the operator has said about this listener or connector.
    private void AddPlanned(AmqpMap properties)
    {
        foreach ((string key, string value) in _plan.OpenProperties)
        {
            properties.AddSymbol(key, value);
        }

        if (_plan.Failover is { } failover)
        {
            properties.AddSymbol(FailoverList.Property, FailoverList.Write(failover));
        }
    }

    private void WriteOpen(bool refused = false)
    {
        _openSent = true;
        var properties = new AmqpMap();
        if (refused)
        {
            properties.AddSymbol("amqp:connection-establishment-failed", true);
        }

        properties.AddSymbol("product", RouterOpen.Product);
        properties.AddSymbol("version", Options.Version);
        if (Network is not null && Role is ConnectionRole.InterRouter or ConnectionRole.Edge)
        {
            RouterOpen.AddTo(properties, _plan);
        }

        AddPlanned(properties);

        Frames.Write(new Open
        {
            ContainerId = Network?.NodeId ?? Options.ContainerId,
            Hostname = _plan.Hostname,
            MaxFrameSize = (uint)Options.MaxFrameBytes,
            ChannelMax = Options.ChannelMaxOf(Role),
            IdleTimeoutMs = Options.IdleTimeoutMsOf(Role) is var idleMs and > 0 ? (uint)Math.Max(1, idleMs / 2) : null,
            OfferedCapabilities = Role == ConnectionRole.InterRouter
                ? [.. Capabilities, RouterOpen.StreamingLinks] : Capabilities,
            Properties = properties,
        });
    }
}
