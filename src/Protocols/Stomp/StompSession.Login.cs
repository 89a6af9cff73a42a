using System.Globalization;
using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <content>CONNECT and STOMP (1.2, "Connecting"): version, login, heart-beats.</content>
internal sealed partial class StompSession
{
    private const string SpacePrefix = "vhost:";
    private const int SessionIdBytes = 8;

    private ISaslServer? _sasl;
    private string _refusal = "the login failed";
    private string? _host;
    private string? _clientId;

    /// <summary>A login check that takes long; the loop awaits it and calls <see cref="OnSaslVerified"/>.</summary>
    public ISaslServer? SaslToVerify { get; private set; }

    /// <summary>How often the peer can send heart-beats, in milliseconds; 0: not at all.</summary>
    public int PeerSendsMs { get; private set; }

    /// <summary>How often the peer wants heart-beats, in milliseconds; 0: not at all.</summary>
    public int PeerWantsMs { get; private set; }

    /// <summary>What the node answers to that; the loop's timers say.</summary>
    public required Func<int, int, (int Sends, int Wants)> AnswerHeartbeat { get; init; }

    /// <summary>The long check is done.</summary>
    public void OnSaslVerified(in SaslStep step)
    {
        SaslToVerify = null;
        if (State == SessionState.LoggingIn)
        {
            OnSaslStep(step);
        }
    }

    private void OnConnect(in FrameHead frame)
    {
        if (State != SessionState.Start)
        {
            throw new StompException("the connection is connected already");
        }

        // These two frames are never escaped, whatever the version (1.2, "Value Encoding").
        const StompVersion Raw = StompVersion.V10;
        if (StompVersions.Negotiate(frame.Text("accept-version"u8, Raw)) is not { } version)
        {
            throw new StompException($"the node speaks the versions {StompVersions.Supported}");
        }

        ReadHeartbeat(frame.Text("heart-beat"u8, Raw));
        _host = TextOf(frame, "host"u8, version);
        _clientId = TextOf(frame, "client-id"u8, version);
        string? login = TextOf(frame, "login"u8, version);
        string? passcode = TextOf(frame, "passcode"u8, version);
        Version = version;
        Frames.Version = version;
        State = SessionState.LoggingIn;
        LogIn(login, passcode);
    }

    // Only who speaks 1.0 may write blanks for the eye.
    private static string? TextOf(in FrameHead frame, ReadOnlySpan<byte> name, StompVersion version)
    {
        string? text = frame.Text(name, StompVersion.V10);
        return version == StompVersion.V10 ? text?.Trim(' ') : text;
    }

    private void ReadHeartbeat(string? text)
    {
        if (text is null)
        {
            return;
        }

        int comma = text.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0 || !TryMs(text.AsSpan(0, comma), out int sends) || !TryMs(text.AsSpan(comma + 1), out int wants))
        {
            throw new StompException("'heart-beat' is not two numbers of milliseconds");
        }

        (PeerSendsMs, PeerWantsMs) = (sends, wants);
    }

    private static bool TryMs(ReadOnlySpan<char> text, out int ms) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ms);

    private void LogIn(string? login, string? passcode)
    {
        var context = new SaslContext
        {
            AllowAnonymous = Options.AllowAnonymous,
            AllowPlain = Options.AllowPlainWithoutTls || _peer.IsTls || _peer.IsLoopback,
            AnyPassword = Options.AllowAnyPassword && _peer.IsLoopback,
            ClientCertificate = _peer.ClientCertificate,
        };
        bool named = !string.IsNullOrEmpty(login);
        string mechanism = named ? SaslServers.Plain
            : Environment.Sasl.Offer(context).Contains(SaslServers.External) ? SaslServers.External
            : SaslServers.Anonymous;
        _sasl = Environment.Sasl.Create(mechanism, context);
        if (_sasl is null)
        {
            RefuseLogin(named ? "a password may not come in the clear here: use TLS" : "a login is needed");
            return;
        }

        _refusal = named ? "user name or password is wrong" : _refusal;
        // Of the development mode's users any password is good, but none would not be one.
        string password = string.IsNullOrEmpty(passcode) && context.AnyPassword ? "-" : passcode ?? "";
        OnSaslStep(_sasl.Step(named ? Encoding.UTF8.GetBytes($"\0{login}\0{password}") : default));
    }

    private void OnSaslStep(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Verify:
                SaslToVerify = _sasl;
                break;
            case SaslStatus.Succeeded:
                Connect(step.Identity!);
                break;
            default:
                Log.LoginFailed(Environment.Logger, _peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                RefuseLogin(step.Status == SaslStatus.Busy ? "too many logins: try again later" : _refusal);
                break;
        }
    }

    private void RefuseLogin(string message) => Fail(message, default, null);

    private void Connect(Identity identity)
    {
        string session = RandomName();
        try
        {
            _client = Environment.Broker.Connect(
                new ClientInfo
                {
                    AddressSpace = SpaceOf(identity),
                    Identity = identity,
                    ClientId = string.IsNullOrEmpty(_clientId) ? $"stomp-{session}" : _clientId,
                    Protocol = "stomp",
                    RemoteEndPoint = _peer.RemoteEndPoint,
                },
                _wakeable);
        }
        catch (BrokerException refusal)
        {
            Fail(refusal.Message, default, null);
            return;
        }

        _reader.Limits = new FrameLimits(
            Options.HeadBytesMax, Options.HeadersMax, Options.AssembleBytesMax, Options.BodyBytesMax);
        (int sends, int wants) = AnswerHeartbeat(PeerSendsMs, PeerWantsMs);
        Frames.WriteConnected(Options.Server, session, sends, wants);
        State = SessionState.Connected;
    }

    // Hosts are named for many reasons: only the name of a space, or the prefix, selects one.
    private string SpaceOf(Identity identity) =>
        _host is not null && _host.StartsWith(SpacePrefix, StringComparison.Ordinal) ? _host[SpacePrefix.Length..]
        : _host is not null && Options.AddressSpaces.Contains(_host) ? _host
        : identity.AddressSpace ?? "default";

    private string RandomName()
    {
        Span<byte> bytes = stackalloc byte[SessionIdBytes];
        Environment.Random.Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
