using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;

namespace Pillarbox.Server.Cli;

/// <summary>A node in the foreground until SIGTERM or Ctrl+C.</summary>
internal static class ForegroundNode
{
    /// <summary>Runs it; <paramref name="onReady"/> is called once, when all its listeners are bound.</summary>
    public static async Task<int> RunAsync(
        PillarboxConfig config, ILoggerFactory logs, Action<IReadOnlyList<NodeEndpoint>> onReady,
        ILogRules? logRules = null)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await using PillarboxNode node = await PillarboxNode.StartAsync(
            config, new NodeSeams { LoggerFactory = logs, LogRules = logRules });
        onReady(node.Endpoints);
        SystemdNotifier.Ready();
        await stop.Task;
        SystemdNotifier.Stopping();
        await node.StopAsync();
        return ExitCode.Good;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }
    }
}
