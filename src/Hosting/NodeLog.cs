using Microsoft.Extensions.Logging;

namespace Pillarbox.Hosting;

/// <summary>What the node itself tells the operator.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(1, LogLevel.Warning,
        "Development mode: there are no users, so everybody on this machine may do everything. "
        + "Add one: pillarbox user add NAME")]
    public static partial void Open(ILogger logger);

    [LoggerMessage(5, LogLevel.Information,
        "Development mode has ended: there is a user now, so everybody logs in from here on")]
    public static partial void Closed(ILogger logger);

    [LoggerMessage(2, LogLevel.Warning, "Nobody can log in: a login is demanded and there are no users")]
    public static partial void NobodyCanLogIn(ILogger logger);

    [LoggerMessage(3, LogLevel.Warning, "Configured queue {Queue} was not made: {Reason}")]
    public static partial void QueueNotMade(ILogger logger, string queue, string reason);

    [LoggerMessage(4, LogLevel.Information, "Stopping: clients are asked to close")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(7, LogLevel.Information, "listener {Listener}: listening on {Address}")]
    public static partial void Listening(ILogger logger, string listener, string address);

    [LoggerMessage(8, LogLevel.Error, "The server of a closed listener ended by a fault of the node")]
    public static partial void ServerFault(ILogger logger, Exception fault);

    [LoggerMessage(9, LogLevel.Warning,
        "A server of the TCP service {Service} is not reached: the others have its clients until it is")]
    public static partial void ServerNotReached(ILogger logger, string service);

    [LoggerMessage(10, LogLevel.Information, "The server of the TCP service {Service} is reached again")]
    public static partial void ServerReached(ILogger logger, string service);

    [LoggerMessage(6, LogLevel.Warning, "A client of the TCP service {Service} was not accepted: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string service, string reason);
}
