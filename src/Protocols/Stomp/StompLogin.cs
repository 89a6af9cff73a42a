using System.Globalization;
using System.Text;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// What a peer says of itself in CONNECT or STOMP (1.2, "Connecting"), and whether it is let in. Pure: a check that
/// takes long is <see cref="ToVerify"/>, which the loop awaits. Used by the connection's loop alone.
/// </summary>
internal sealed class StompLogin(StompEnvironment environment, PeerInfo peer)
{
    private const string SpacePrefix = "vhost:";

    private ISaslServer? _sasl;
    private string _reason = "the login failed";
    private string? _host;
    private string? _name;
    private string? _passcode;

    /// <summary>A check that takes long; its result goes to <see cref="OnVerified"/>.</summary>
    public ISaslServer? ToVerify { get; private set; }

    /// <summary>Who logged in; null: nobody yet.</summary>
    public Identity? Identity { get; private set; }

    /// <summary>Why the peer is not let in, for it to read; null: it may be.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The name of the peer's durable subscriptions; null or empty: it has none.</summary>
    public string? ClientId { get; private set; }

    /// <summary>How often the peer can send heart-beats, in milliseconds; 0: not at all.</summary>
    public int PeerSendsMs { get; private set; }

    /// <summary>How often the peer wants heart-beats, in milliseconds; 0: not at all.</summary>
    public int PeerWantsMs { get; private set; }

    /// <summary>The address space. Hosts are named for many reasons: only the name of a space, or the prefix, selects
    /// one.</summary>
    public string AddressSpace =>
        _host is not null && _host.StartsWith(SpacePrefix, StringComparison.Ordinal) ? _host[SpacePrefix.Length..]
        : _host is not null && environment.Options.AddressSpaces.Contains(_host) ? _host
        : Identity?.AddressSpace ?? "default";

    /// <summary>Reads the frame; the version that is agreed on.</summary>
    /// <exception cref="StompException">There is none, or the frame cannot be read.</exception>
    public StompVersion Read(in FrameHead frame)
    {
        // These two frames are never escaped, whatever the version (1.2, "Value Encoding").
        const StompVersion Raw = StompVersion.V10;
        if (StompVersions.Negotiate(frame.Text("accept-version"u8, Raw)) is not { } version)
        {
            throw new StompException($"the node speaks the versions {StompVersions.Supported}");
        }

        ReadHeartbeat(frame.Text("heart-beat"u8, Raw));
        _host = TextOf(frame, "host"u8, version);
        ClientId = TextOf(frame, "client-id"u8, version);
        _name = TextOf(frame, "login"u8, version);
        _passcode = TextOf(frame, "passcode"u8, version);
        return version;
    }

    /// <summary>Checks who it is.</summary>
    public void Begin()
    {
        var context = new SaslContext
        {
            AllowAnonymous = environment.Options.AllowAnonymous,
            AllowPlain = environment.Options.AllowPlainWithoutTls || peer.IsTls || peer.IsLoopback,
            AnyPassword = environment.Options.AllowAnyPassword && peer.IsLoopback,
            ClientCertificate = peer.ClientCertificate,
        };
        bool isNamed = !string.IsNullOrEmpty(_name);
        string mechanism = isNamed ? SaslServers.Plain
            : environment.Sasl.Offer(context).Contains(SaslServers.External) ? SaslServers.External
            : SaslServers.Anonymous;
        _sasl = environment.Sasl.Create(mechanism, context);
        if (_sasl is null)
        {
            Refusal = isNamed ? "a password may not come in the clear here: use TLS" : "a login is needed";
            return;
        }

        _reason = isNamed ? "user name or password is wrong" : _reason;
        // Of the development mode's users any password is good, but none would not be one.
        string password = string.IsNullOrEmpty(_passcode) && context.AnyPassword ? "-" : _passcode ?? "";
        OnStep(_sasl.Step(isNamed ? Encoding.UTF8.GetBytes($"\0{_name}\0{password}") : default));
        _passcode = null;
    }

    /// <summary>The long check is done. <paramref name="isWanted"/>: the connection is not over meanwhile.</summary>
    public void OnVerified(in SaslStep step, bool isWanted)
    {
        ToVerify = null;
        if (isWanted)
        {
            OnStep(step);
        }
    }

    /// <summary>The connection is over.</summary>
    public void Close() => _sasl?.Dispose();

    // Only who speaks 1.0 may write blanks for the eye.
    private static string? TextOf(in FrameHead frame, ReadOnlySpan<byte> name, StompVersion version)
    {
        string? text = frame.Text(name, StompVersion.V10);
        return version == StompVersion.V10 ? text?.Trim(' ') : text;
    }

    private static bool TryMs(ReadOnlySpan<char> text, out int ms) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ms);

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

    private void OnStep(in SaslStep step)
    {
        switch (step.Status)
        {
            case SaslStatus.Verify:
                ToVerify = _sasl;
                break;
            case SaslStatus.Succeeded:
                Identity = step.Identity!;
                break;
            default:
                Log.LoginFailed(environment.Logger, peer.RemoteEndPoint, step.Reason ?? step.Status.ToString());
                Refusal = step.Status == SaslStatus.Busy ? "too many logins: try again later" : _reason;
                break;
        }
    }
}
