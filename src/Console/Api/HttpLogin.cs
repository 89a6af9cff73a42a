using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Pillarbox.Model;

namespace Pillarbox.ConsoleApi;

/// <summary>How a login over HTTP ended.</summary>
/// <param name="Status">200, 401 or 503.</param>
/// <param name="Identity">Who it is, when 200.</param>
internal readonly record struct Login(int Status, Identity Identity)
{
    public static readonly Login None = new(StatusCodes.Status200OK, Identity.Anonymous);
}

/// <summary>HTTP Basic (RFC 7617) against the node's users.</summary>
internal static class HttpLogin
{
    private const string Scheme = "Basic ";
    private const int HeaderCharsMax = 2048;

    public static async Task<Login> CheckAsync(HttpContext context, HttpAccess access)
    {
        if (access.Verify is not { } verify || access.IsOpen)
        {
            // An open node's operators are whoever sits at its machine.
            return new Login(StatusCodes.Status200OK, Identity.Anonymous);
        }

        string? header = context.Request.Headers.Authorization;
        if (header is null && HttpMethods.IsGet(context.Request.Method) && access.WaivesLogin?.Invoke(context) == true)
        {
            return Login.None;
        }

        if (header is null || !TryParse(header, out string name, out byte[] password))
        {
            return new Login(StatusCodes.Status401Unauthorized, Identity.Anonymous);
        }

        LoginVerdict verdict = await verify(name, password, context.RequestAborted);
        CryptographicOperations.ZeroMemory(password);
        return verdict switch
        {
            { Identity: { } identity } => new Login(StatusCodes.Status200OK, identity),
            { Busy: true } => new Login(StatusCodes.Status503ServiceUnavailable, Identity.Anonymous),
            _ => new Login(StatusCodes.Status401Unauthorized, Identity.Anonymous),
        };
    }

    public static Task RefuseAsync(HttpContext context, Login login)
    {
        if (login.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "1";
            return Problem.WriteAsync(context, login.Status, "too many logins are being checked; try again later");
        }

        context.Response.Headers.WWWAuthenticate = "Basic realm=\"pillarbox\", charset=\"UTF-8\"";
        return Problem.WriteAsync(context, login.Status, "log in with a user of this node (HTTP Basic)");
    }

    private static bool TryParse(string header, out string name, out byte[] password)
    {
        (name, password) = ("", []);
        if (header.Length > HeaderCharsMax || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        byte[] decoded = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[Scheme.Length..].Trim(), decoded, out int length))
        {
            return false;
        }

        int colon = decoded.AsSpan(0, length).IndexOf((byte)':');
        if (colon <= 0)
        {
            return false;
        }

        name = Encoding.UTF8.GetString(decoded, 0, colon);
        password = decoded[(colon + 1)..length];
        CryptographicOperations.ZeroMemory(decoded);
        return true;
    }
}
