using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// The HTTP listener's resources: health, metrics and the management API. The list of all routes is here.
/// </summary>
public static class ManagementApi
{
    /// <summary>Every route, in the order of the API document.</summary>
    internal static IReadOnlyList<ApiRoute> Routes { get; } =
    [
        .. HealthResource.Routes,
        .. MetricsResource.Routes,
        .. NodeResource.Routes,
        .. QueuesResource.Routes,
        .. MessagesResource.Routes,
        .. AddressesResource.Routes,
        .. StreamsResource.Routes,
        .. GroupsResource.Routes,
        .. ConnectionsResource.Routes,
        .. RouterResources.Routes,
        .. RouterEntityResources.Routes,
        .. ConsumersResource.Routes,
        .. QuarantineRoutes.Routes,
        .. AccessResource.Routes,
        .. ClientQuotasResource.Routes,
        .. TransactionsResource.Routes,
        .. OpenApiResource.Routes,
    ];

    /// <summary>Puts every resource on the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes, ApiServices services)
    {
        foreach (ApiRoute route in Routes)
        {
            routes.MapMethods(route.Path, [route.Method], context => AnswerAsync(context, route, services));
        }

        routes.MapFallback(context =>
        {
            ResponseHeaders.Write(context.Response);
            const string Unknown = "there is no such resource; see /api/v1/openapi.json";
            return Problem.WriteAsync(context, StatusCodes.Status404NotFound, Unknown);
        });
    }

    private static async Task AnswerAsync(HttpContext context, ApiRoute route, ApiServices services)
    {
        ResponseHeaders.Write(context.Response);
        try
        {
            if (route.NeedsLogin && !RequestGuard.Passes(context.Request, services.Access, out string? refusal))
            {
                await Problem.WriteAsync(context, StatusCodes.Status403Forbidden, refusal);
                return;
            }

            Login login = route.NeedsLogin ? await HttpLogin.CheckAsync(context, services.Access) : Login.None;
            if (login.Status != StatusCodes.Status200OK)
            {
                await HttpLogin.RefuseAsync(context, login);
                return;
            }

            await route.Handle(new ApiRequest(context, route, services, login.Identity));
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            await Problem.WriteAsync(context, e, services.Logger);
        }
    }
}
