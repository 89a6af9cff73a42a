using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Pillarbox.Transport;

namespace Pillarbox.Hosting.Listeners.WebSockets;

/// <summary>
/// Takes requests for a WebSocket at the paths of <see cref="WebSocketPath.Table"/> and at the root, and gives each to
/// the same handler that serves its protocol on sockets. Everything else goes on to the HTTP resources. Thread-safe.
/// </summary>
internal sealed partial class WebSocketEndpoint(Func<bool> inDevelopment, ILogger logger)
{
    /// <summary>How often a silent peer is asked whether it lives, and how long it has to say so.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    /// <summary>Puts it in front of the application's resources.</summary>
    public void Use(WebApplication application)
    {
        application.UseWebSockets();
        application.Use(ServeAsync);
    }

    private async Task ServeAsync(HttpContext context, RequestDelegate next)
    {
        WebSocketPath? path = WebSocketPath.Of(
            context.Request.Path.Value, context.WebSockets.WebSocketRequestedProtocols);
        ListenerPlan? plan = context.Features.Get<ListenerPlan>();
        ConnectionHandler? handler = null;
        if (path is null || plan is not { Config.WebSockets: true }
            || !plan.Handlers.TryGetValue(path.Protocol, out handler))
        {
            await next(context);
            return;
        }

        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
        }
        else if (!OriginPolicy.Allows(context.Request, plan.Origins, inDevelopment()))
        {
            IPAddress? peer = context.Connection.RemoteIpAddress;
            string? text = peer is null ? null : PeerTransport.Plain(peer).ToString();
            Refused(logger, text, context.Request.Headers.Origin.ToString());
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        }
        else if (!path.TryChoose(context.WebSockets.WebSocketRequestedProtocols, out string? subprotocol))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
        }
        else
        {
            await ServeAsync(context, path, subprotocol, handler);
        }
    }

    private static async Task ServeAsync(
        HttpContext context, WebSocketPath path, string? subprotocol, ConnectionHandler handler)
    {
        // A peer may read as slowly as its protocol lets it.
        context.Features.Get<IHttpMinResponseDataRateFeature>()?.MinDataRate = null;
        context.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
        var accept = new WebSocketAcceptContext
        {
            SubProtocol = subprotocol,
            KeepAliveInterval = KeepAlive,
            KeepAliveTimeout = KeepAlive,
        };
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(accept);
        var connection = new WebSocketConnection(socket, context, path.TakesText);
        await connection.ServeAsync(handler);
        await connection.DisposeAsync();
    }

    [LoggerMessage(1, LogLevel.Warning, "{Peer}: WebSocket refused, for its page comes from {Origin}")]
    private static partial void Refused(ILogger logger, string? peer, string origin);
}
