using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Amqp.Logins;

/// <summary>How far a login is.</summary>
internal enum SaslPhase : byte
{
    /// <summary>Under way, or not begun.</summary>
    UnderWay,

    /// <summary>The peer is who it says.</summary>
    Succeeded,

    /// <summary>It was told that it is not: the connection ends.</summary>
    Failed,
}

/// <summary>
/// The login of one connection (part 5 section 5.3), by the node's own users or by what another program says. Pure:
/// a check that takes long is <see cref="ToVerify"/>, which the loop awaits. Used by the connection's loop alone.
/// </summary>
internal sealed class SaslExchange(
    AmqpEnvironment environment, PeerInfo peer, ConnectionPlan plan, FrameWriter frames)
{
    private ISaslServer? _server;
    private RelayedLogin? _relay;

    public SaslPhase Phase { get; private set; }

    /// <summary>Who logged in.</summary>
    public Identity Identity { get; private set; } = Identity.Anonymous;

    /// <summary>When what the peer logged in with is no longer good, in milliseconds since the Unix epoch; null: it has
    /// no end.</summary>
    public long? EndsAtMs { get; private set; }

    /// <summary>The mechanism that the peer took, or the node at the peer; null: none.</summary>
    public string? Mechanism { get; private set; }

    /// <summary>As whom the node has logged in at the peer; null: it has not, or as nobody, or by its
    /// certificate.</summary>
    public string? NodeUser { get; private set; }

    /// <summary>A check that takes long; its result goes to <see cref="OnVerified"/>.</summary>
    public ISaslServer? ToVerify { get; private set; }

    /// <summary>What another program lets the peer do; null: it has not said, or was not asked.</summary>
    public LoginRights? Rights => _relay?.Rights;

    /// <summary>
    /// The longest SASL frame. Part 5 section 5.3.1: at most MIN-MAX-FRAME-SIZE. Tokens do not fit into that, and
    /// whoever sends one sends a longer frame.
    /// </summary>
    public uint FrameBytesMax(AmqpOptions options) => environment.Sasl.TakesTokens || plan.LoginService is not null
        ? (uint)Math.Min(options.MaxFrameBytes, options.PreAuthBytesMax)
        : WireLimits.FrameBytesMin;

    /// <summary>The headers are exchanged: offers the mechanisms. What another program offers is asked of it first.
    /// </summary>
    public void Begin(AmqpOptions options)
    {
        if (plan.LoginService is { } service)
        {
            _server = ToVerify = _relay = service.Begin(mechanism => IsRelayed(mechanism, options));
        }
        else
        {
            frames.Write(new SaslMechanisms { ServerMechanisms = [.. environment.Sasl.Offer(ContextOf(options))] });
        }
    }

    /// <summary>A frame of the peer.</summary>
    public void OnFrame(ReadOnlyMemory<byte> body, AmqpOptions options)
    {
        var reader = new AmqpReader(body.Span);
        ulong descriptor = reader.ReadDescriptor();
        bool hasBegun = _relay is null ? _server is not null : _relay.Mechanism.Length > 0;
        if (descriptor == SaslInit.DescriptorCode && !hasBegun && ToVerify is null)
        {
            OnInit(SaslInit.ReadFields(ref reader), options);
        }
        else if (descriptor == SaslResponse.DescriptorCode && hasBegun && ToVerify is null)
        {
            OnStep(_server!.Step(SaslResponse.ReadFields(ref reader).Response));
        }
        else
        {
            Fail(SaslCode.Sys);
        }
    }

    /// <summary>The long check is done. <paramref name="isWanted"/>: the connection is not over meanwhile.</summary>
    public void OnVerified(in SaslStep step, bool isWanted)
    {
        ToVerify = null;
        if (!isWanted)
        {
            return;
        }

        if (_relay is { Mechanism.Length: 0 } relay && step.Status == SaslStatus.Challenge)
        {
            Offer(relay);
            return;
        }

        OnStep(step);
    }

    /// <summary>The node itself made the connection, and has logged in.</summary>
    public void OnNodeLoggedIn(InitiatedLogin login) =>
        (Identity, Mechanism, NodeUser) = (Identity.Node, login.Mechanism, login.User);

    /// <summary>The connection is over.</summary>
    public void Close() => _server?.Dispose();

    private void Offer(RelayedLogin relay)
    {
        frames.Write(new SaslMechanisms { ServerMechanisms = [.. relay.Offered] });
        if (relay.Offered.Count == 0)
        {
            Log.LoginFailed(
                environment.Logger, peer.RemoteEndPoint,
                $"the login service {plan.LoginService!.Name} offers nothing that may be used on this connection");
        }
    }

    // EXTERNAL would be by the node's own certificate there, not by the client's. What is sent in the clear counts as
    // for the node's own users, and nobody need not log in where that is asked for.
    private bool IsRelayed(string mechanism, AmqpOptions options) => mechanism switch
    {
        SaslServers.External => false,
        SaslServers.Anonymous => options.AllowAnonymous,
        SaslServers.Plain or SaslServers.OAuthBearer or "XOAUTH2" or "LOGIN" => ContextOf(options).AllowPlain,
        _ => true,
    } && plan.Limits?.Allows(mechanism) != false;

    private SaslContext ContextOf(AmqpOptions options) => new()
    {
        AllowAnonymous = options.AllowAnonymous,
        AllowPlain = options.AllowPlainWithoutTls || peer.IsTls || peer.IsLoopback,
        AnyPassword = options.AllowAnyPassword && peer.IsLoopback,
        ClientCertificate = peer.ClientCertificate,
        CertificateUser = plan.CertificateUser,
        Mechanisms = plan.Limits?.Mechanisms ?? [],
    };

    private void OnInit(SaslInit init, AmqpOptions options)
    {
        bool isOffered = true;
        if (_relay is not null)
        {
            isOffered = _relay.TryChoose(init.Mechanism, init.Hostname);
        }
        else
        {
            _server = environment.Sasl.Create(init.Mechanism, ContextOf(options));
        }

        if (_server is null || !isOffered)
        {
            Fail(SaslCode.Auth);
            return;
        }

        Mechanism = init.Mechanism;
        OnStep(_server.Step(init.InitialResponse));
    }

    private void OnStep(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Challenge:
                frames.Write(new SaslChallenge { Challenge = step.Data.ToArray() });
                break;
            case SaslStatus.Verify:
                ToVerify = _server;
                break;
            case SaslStatus.Succeeded:
                Identity = step.Identity!;
                EndsAtMs = step.ExpiresAtMs;
                byte[]? data = step.Data.IsEmpty ? null : step.Data.ToArray();
                frames.Write(new SaslOutcome { Code = SaslCode.Ok, AdditionalData = data });
                Phase = SaslPhase.Succeeded;
                break;
            default:
                Log.LoginFailed(environment.Logger, peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                Fail(step.Status == SaslStatus.Busy ? SaslCode.SysTemp : SaslCode.Auth);
                break;
        }
    }

    private void Fail(SaslCode code)
    {
        frames.Write(new SaslOutcome { Code = code });
        Phase = SaslPhase.Failed;
    }
}
