using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Pillarbox.Broker;

namespace Pillarbox.ConsoleApi;

/// <summary>Where the node is in its life, as health checks ask.</summary>
public interface INodeHealth
{
    /// <summary>Recovered and listening.</summary>
    bool Started { get; }

    /// <summary>On its way down.</summary>
    bool Stopping { get; }
}

/// <summary>The HTTP listener's resources: health, metrics and the management API.</summary>
public static class ManagementApi
{
    /// <summary>Puts every resource on the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, MessageBroker broker, INodeHealth health)
    {
        routes.Map("/health/live", context => context.Response.WriteAsync("ok"));
        routes.Map("/health/started", context => Answer(context, health.Started));
        routes.Map("/health/ready", context => Answer(context, health is { Started: true, Stopping: false }));
    }

    private static Task Answer(HttpContext context, bool good)
    {
        context.Response.StatusCode = good ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(good ? "ok" : "not yet");
    }
}
