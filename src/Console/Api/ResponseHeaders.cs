using Microsoft.AspNetCore.Http;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// The headers of every answer: nothing here is a page, nothing is kept by caches, nothing may be framed or guessed at.
/// </summary>
internal static class ResponseHeaders
{
    public static void Write(HttpResponse response)
    {
        IHeaderDictionary headers = response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }
}
