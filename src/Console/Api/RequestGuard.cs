using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// Keeps foreign web pages out. There are no cookies, but a browser may remember a Basic login, and an open node on
/// loopback trusts whoever connects: so requests that a page of another site made are refused, and so are, on an open
/// node, requests
/// under a name other than loopback's (a foreign name that was pointed at this machine).
/// </summary>
internal static class RequestGuard
{
    public static bool Passes(HttpRequest request, HttpAccess access, [NotNullWhen(false)] out string? refusal)
    {
        refusal = null;
        if (request.Headers["Sec-Fetch-Site"] == "cross-site")
        {
            refusal = "requests made by another site's page are refused";
        }
        else if (request.Headers.Origin is [{ Length: > 0 } origin] && !IsSameOrigin(origin, request))
        {
            refusal = $"requests from the origin {origin} are refused";
        }
        else if (access.IsOpen && !IsLoopback(request.Host.Host))
        {
            refusal = "this node is open to its own machine only: use 127.0.0.1 or localhost in the URL";
        }

        return refusal is null;
    }

    private static bool IsSameOrigin(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? parsed)
        && parsed.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.Length == 0
        || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
