using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// Where a listener listens: <c>host:port</c>, <c>[v6]:port</c>, <c>*:port</c>, <c>localhost:port</c> or
/// <c>unix:/path</c>.
/// </summary>
/// <param name="Host">The host as written, or null for a Unix socket.</param>
/// <param name="Port">The port; 0 = a free one.</param>
/// <param name="UnixPath">The path of a Unix socket, or null.</param>
public sealed record ListenAddress(string? Host, int Port, string? UnixPath)
{
    private const string UnixPrefix = "unix:";

    /// <summary>The numeric address; null for a Unix socket and for names that must be looked up.</summary>
    public IPAddress? Address => Host switch
    {
        null => null,
        "*" => IPAddress.Any,
        "localhost" => IPAddress.Loopback,
        _ => IPAddress.TryParse(Host, out IPAddress? address) ? address : null,
    };

    /// <summary>
    /// Whether only programs of this machine can connect. A name that must be looked up is not taken for one.
    /// </summary>
    public bool IsLocal => UnixPath is not null || (Address is { } address && IPAddress.IsLoopback(address));

    /// <summary>Reads an address; false with the rest of a sentence for the user.</summary>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out ListenAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        error = $"must be host:port, [v6]:port, *:port or unix:/path, not '{text}'";
        if (string.IsNullOrWhiteSpace(text))
        {
            return false;
        }

        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            address = text.Length > UnixPrefix.Length ? new ListenAddress(null, 0, text[UnixPrefix.Length..]) : null;
            return address is not null;
        }

        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryPort(text[(colon + 1)..], out int port))
        {
            return false;
        }

        string host = text[..colon];
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (bracketed)
        {
            host = host[1..^1];
        }

        bool valid = bracketed
            ? IPAddress.TryParse(host, out _)
            : host == "*" || Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
        address = valid ? new ListenAddress(host, port, null) : null;
        return valid;
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;

    /// <inheritdoc/>
    public override string ToString() =>
        UnixPath is not null ? UnixPrefix + UnixPath : Host!.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
