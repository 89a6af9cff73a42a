using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners;

/// <summary>Resources that a listener of HTTP does not have, because the operator has said so, are not found there.
/// Thread-safe.</summary>
internal static class HttpGate
{
    private static readonly (string Path, Func<ListenerConfig, bool> IsOpen)[] Resources =
    [
        ("/metrics", static listener => listener.Metrics),
        ("/healthz", static listener => listener.Health),
        ("/health", static listener => listener.Health),
    ];

    /// <summary>Puts it in front of the application's resources.</summary>
    public static void Use(WebApplication application) => application.Use(ServeAsync);

    private static Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<ListenerPlan>() is not { Config: var listener } || IsOpen(context, listener))
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static bool IsOpen(HttpContext context, ListenerConfig listener) => Array.TrueForAll(
        Resources, resource => !context.Request.Path.StartsWithSegments(resource.Path) || resource.IsOpen(listener));
}
