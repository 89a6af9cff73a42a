using Microsoft.AspNetCore.Http;
using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/started</c>: recovered and listening. <c>/health/ready</c>:
/// also not stopping, and the disk takes messages; <c>/healthz</c>: the same.
/// </summary>
internal static class HealthResource
{
    public static readonly ApiRoute[] Routes =
    [
        Probe("/health/live", "Whether the process answers.", _ => Task.FromResult<string?>(null)),
        Probe("/health/started", "Whether the node has recovered and listens.", request =>
            Task.FromResult(request.Services.Health.Started ? null : "starting")),
        Probe("/health/ready", "Whether the node takes and gives messages.", ReadyAsync),
        Probe("/healthz", "The same, where probes of other routers look for it.", ReadyAsync),
    ];

    private static ApiRoute Probe(string path, string summary, Func<ApiRequest, Task<string?>> fault) =>
        new("GET", path, summary, async request =>
        {
            string? reason = await fault(request);
            HttpResponse response = request.Context.Response;
            response.StatusCode = reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            response.ContentType = "text/plain; charset=utf-8";
            await response.WriteAsync(reason ?? "ok");
        })
        {
            NeedsLogin = false,
            MediaType = "text/plain",
            TextFault = StatusCodes.Status503ServiceUnavailable,
        };

    private static async Task<string?> ReadyAsync(ApiRequest request)
    {
        INodeHealth health = request.Services.Health;
        if (!health.Started || health.Stopping)
        {
            return health.Stopping ? "stopping" : "starting";
        }

        NodeView node = await request.Management.GetNodeAsync();
        return node.StorageFailed ? "the disk failed: restart the node" : node.DiskFull ? "the disk is full" : null;
    }
}
