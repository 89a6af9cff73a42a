using System.Net;
using Microsoft.AspNetCore.Http;

namespace Pillarbox.Hosting.Listeners.WebSockets;

/// <summary>
/// Which pages may open a WebSocket. A browser says whose page it is in <c>Origin</c>; programs that are no browsers
/// say nothing, and are not what this guards against. Pure.
/// </summary>
internal static class OriginPolicy
{
    /// <summary>The entry that lets every page in.</summary>
    public const string Any = "*";

    /// <summary>
    /// Whether a request may open a WebSocket: without an origin, from the node's own, from one that the operator has
    /// named. A node in development mode is for its own machine: a foreign name that was pointed at it is refused.
    /// </summary>
    public static bool Allows(HttpRequest request, IReadOnlyList<string> origins, bool inDevelopment)
    {
        if (inDevelopment && !IsLoopback(request.Host.Host))
        {
            return false;
        }

        string? origin = request.Headers.Origin;
        return string.IsNullOrEmpty(origin)
            || IsOwn(origin, request)
            || origins.Any(o => o == Any || o.Equals(origin, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsOwn(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? parsed)
        && parsed.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static bool IsLoopback(string host) =>
        host.Length == 0
        || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
