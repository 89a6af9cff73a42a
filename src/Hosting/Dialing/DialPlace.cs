using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Dialing;

/// <summary>What is spoken below AMQP on a connection that the node makes.</summary>
public enum DialScheme
{
    /// <summary>TCP; TLS when the connector has a section for it.</summary>
    Plain,

    /// <summary>TCP with TLS.</summary>
    Tls,

    /// <summary>A WebSocket.</summary>
    WebSocket,

    /// <summary>A WebSocket over TLS.</summary>
    SecureWebSocket,
}

/// <summary>
/// Where the node connects to: <c>host:port</c>, <c>unix:/path</c>, <c>amqp://host:port</c>, <c>amqps://host:port</c>,
/// <c>ws://host:port/path</c> or <c>wss://host:port/path</c>. Immutable.
/// </summary>
/// <param name="Scheme">What is spoken there.</param>
/// <param name="Address">Where it is.</param>
/// <param name="Path">The path of a WebSocket.</param>
public sealed record DialPlace(DialScheme Scheme, ListenAddress Address, string Path)
{
    /// <summary>For people.</summary>
    public const string Shape = "host:port, unix:/path, amqp(s)://host:port or ws(s)://host:port/path";

    /// <summary>The path at which a node of ours speaks AMQP.</summary>
    public const string UsualPath = "/amqp";

    private static readonly (string Prefix, DialScheme Scheme, int Port)[] Schemes =
    [
        ("amqp://", DialScheme.Plain, 5672),
        ("amqps://", DialScheme.Tls, 5671),
        ("ws://", DialScheme.WebSocket, 80),
        ("wss://", DialScheme.SecureWebSocket, 443),
    ];

    /// <summary>Whether it is a WebSocket.</summary>
    public bool IsWebSocket => Scheme is DialScheme.WebSocket or DialScheme.SecureWebSocket;

    /// <summary>The scheme's name in a URL.</summary>
    public string NameOfScheme => Schemes[(int)Scheme].Prefix[..^3];

    /// <summary>The host, as a certificate names it.</summary>
    public string Host => Address.Host ?? "";

    /// <summary>The host as it stands in a URL.</summary>
    public string Authority => Address.Host!.Contains(':')
        ? string.Create(CultureInfo.InvariantCulture, $"[{Address.Host}]:{Address.Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Address.Host}:{Address.Port}");

    /// <summary>Reads a place; false: it is none that can be connected to.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out DialPlace? place)
    {
        place = null;
        int at = Array.FindIndex(Schemes, s => text.StartsWith(s.Prefix, StringComparison.OrdinalIgnoreCase));
        if (at < 0)
        {
            place = !text.Contains("://", StringComparison.Ordinal) && TryAddress(text, null, out ListenAddress? bare)
                ? new DialPlace(DialScheme.Plain, bare, "") : null;
            return place is not null;
        }

        string rest = text[Schemes[at].Prefix.Length..];
        int slash = rest.IndexOf('/');
        string path = slash < 0 ? "" : rest[slash..];
        string host = slash < 0 ? rest : rest[..slash];
        bool isWebSocket = Schemes[at].Scheme is DialScheme.WebSocket or DialScheme.SecureWebSocket;
        if (!TryAddress(host, Schemes[at].Port, out ListenAddress? address) || address.UnixPath is not null
            || (!isWebSocket && path is not ("" or "/")))
        {
            return false;
        }

        place = new DialPlace(Schemes[at].Scheme, address, isWebSocket && path is "" or "/" ? UsualPath : path);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Scheme switch
    {
        DialScheme.Plain => Address.ToString(),
        _ => $"{NameOfScheme}://{Authority}{(IsWebSocket ? Path : "")}",
    };

    private static bool TryAddress(string text, int? usualPort, [NotNullWhen(true)] out ListenAddress? address)
    {
        bool hasPort = text.StartsWith('[') ? text.Contains("]:", StringComparison.Ordinal) : text.Contains(':');
        string whole = hasPort || usualPort is null ? text : $"{text}:{usualPort}";
        return ListenAddress.TryParse(whole, out address, out _)
            && (address.UnixPath is not null || (address.Port > 0 && address.Host != "*"));
    }
}
