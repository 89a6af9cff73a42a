using System.Security.Cryptography.X509Certificates;
using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>What a listener and its transport say about a login. Immutable.</summary>
public sealed record SaslContext
{
    /// <summary>Nobody may connect too (<c>ANONYMOUS</c>). True in development mode.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Passwords and tokens may travel in the clear (<c>PLAIN</c>, <c>OAUTHBEARER</c>): TLS is on, or the
    /// operator said so, or the listener is loopback.</summary>
    public bool AllowPlain { get; init; }

    /// <summary>Who is refused hears so at once: it has logged in before, and logs in again on its
    /// connection.</summary>
    public bool RefusesAtOnce { get; init; }

    /// <summary>There are no users: <c>PLAIN</c> with any password logs in under the name given. Only for development
    /// mode on loopback.</summary>
    public bool AnyPassword { get; init; }

    /// <summary>The client's certificate, which the TLS layer has verified; null without one.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>Whom that certificate names by itself, when no user has it; null: nobody.</summary>
    public Func<X509Certificate2, Identity?>? CertificateUser { get; init; }

    /// <summary>The mechanisms that may be used here, of those that there are; empty: all.</summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = [];
}

/// <summary>Which SASL mechanisms a connection may use, and a fresh server for each. Any thread.</summary>
public sealed class SaslServers
{
    /// <summary>RFC 4505.</summary>
    public const string Anonymous = "ANONYMOUS";

    /// <summary>RFC 4616.</summary>
    public const string Plain = "PLAIN";

    /// <summary>RFC 7677.</summary>
    public const string ScramSha256 = "SCRAM-SHA-256";

    /// <summary>RFC 5802 with SHA-512.</summary>
    public const string ScramSha512 = "SCRAM-SHA-512";

    /// <summary>RFC 4422 appendix A.</summary>
    public const string External = "EXTERNAL";

    /// <summary>RFC 7628.</summary>
    public const string OAuthBearer = "OAUTHBEARER";

    private readonly UserStore? _users;
    private readonly TokenVerifier? _tokens;
    private readonly IRandom _random;

    /// <summary>For the users of a node, null when it has none (development mode), and for who has a token, when they
    /// are taken.</summary>
    public SaslServers(UserStore? users, IRandom random, TokenVerifier? tokens = null)
    {
        _users = users;
        _random = random;
        _tokens = tokens;
    }

    /// <summary>How long who is refused waits to hear so, in milliseconds; 0: not at all.</summary>
    public int RefusalDelayMs { get; init; }

    /// <summary>The clock for <see cref="RefusalDelayMs"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The users; null in development mode.</summary>
    public UserStore? Users => _users;

    /// <summary>Whether tokens log in.</summary>
    public bool TakesTokens => _tokens is not null;

    /// <summary>The user whose certificate this is, which the TLS layer has verified; null: nobody's.</summary>
    public Identity? OfCertificate(X509Certificate2 certificate) => _users?.FindByCertificate(certificate);

    /// <summary>The mechanisms to offer, strongest first.</summary>
    public IReadOnlyList<string> Offer(SaslContext context)
    {
        var offered = new List<string>();
        if (context.ClientCertificate is not null && (_users is not null || context.CertificateUser is not null))
        {
            offered.Add(External);
        }

        if (_users is not null)
        {
            offered.Add(ScramSha512);
            offered.Add(ScramSha256);
        }

        if (_tokens is not null && context.AllowPlain)
        {
            offered.Add(OAuthBearer);
        }

        if (context.AnyPassword || (_users is not null && context.AllowPlain))
        {
            offered.Add(Plain);
        }

        if (context.AllowAnonymous)
        {
            offered.Add(Anonymous);
        }

        return context.Mechanisms.Count == 0 ? offered : [.. offered.Where(context.Mechanisms.Contains)];
    }

    /// <summary>A server for the mechanism that the client chose; null when it was not offered.</summary>
    public ISaslServer? Create(string mechanism, SaslContext context)
    {
        if (!Offer(context).Contains(mechanism))
        {
            return null;
        }

        ISaslServer? server = CreateServer(mechanism, context);
        return server is null || RefusalDelayMs <= 0 || context.RefusesAtOnce
            ? server
            : new SlowRefusal(server, Time, RefusalDelayMs);
    }

    private ISaslServer? CreateServer(string mechanism, SaslContext context) =>
        mechanism switch
        {
            Anonymous => new AnonymousServer(),
            Plain => new PlainServer(context.AnyPassword ? null : _users),
            ScramSha256 => new ScramServer(ScramHash.Sha256, _users!, _random),
            ScramSha512 => new ScramServer(ScramHash.Sha512, _users!, _random),
            OAuthBearer => new OAuthBearerServer(_tokens!),
            External => new ExternalServer(_users, context.CertificateUser, context.ClientCertificate!),
            _ => null,
        };
}
