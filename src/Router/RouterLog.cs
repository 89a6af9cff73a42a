using Microsoft.Extensions.Logging;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router;

/// <summary>What the router writes to the log.</summary>
internal static partial class RouterLog
{
    [LoggerMessage(1, LogLevel.Information, "router: {Kind} {Router} {Detail}")]
    public static partial void Happened(ILogger logger, RouterEventKind kind, string router, string detail);

    [LoggerMessage(2, LogLevel.Information, "connector {Name} to {Target}: connected")]
    public static partial void Connected(ILogger logger, string name, string target);

    [LoggerMessage(3, LogLevel.Warning, "connector {Name} to {Target}: {Reason}; next try in {DelayMs} ms")]
    public static partial void Lost(ILogger logger, string name, string target, string reason, int delayMs);

    [LoggerMessage(4, LogLevel.Information, "container {Container} on connection {Name}")]
    public static partial void ContainerUp(ILogger logger, string name, string container);

    [LoggerMessage(5, LogLevel.Information, "auto link {Name} on connection {Connection}: attached")]
    public static partial void AutoLinkUp(ILogger logger, string name, string connection);

    [LoggerMessage(6, LogLevel.Warning, "auto link {Name} on connection {Connection}: {Reason}")]
    public static partial void AutoLinkDown(ILogger logger, string name, string connection, string reason);
}
