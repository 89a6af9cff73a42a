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
}
