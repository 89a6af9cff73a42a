using System.Diagnostics;

namespace Pillarbox.Server.Cli.Router;

/// <summary>The router as a process of its own that outlives the command.</summary>
internal static class BackgroundRouter
{
    private const int PollMs = 50;

    /// <summary>How long it may take until it is ready.</summary>
    private const int PatienceMs = 30_000;

    /// <summary>Starts it, and waits until it has bound its listeners, which its process id file shows.</summary>
    public static async Task<int> StartAsync(string conf, string? pidFile, string? users)
    {
        string ready = pidFile ?? Path.Combine(Path.GetTempPath(), $"pillarbox-router-{Environment.ProcessId}.pid");
        // The shell opens what the new process has for input and output, in a session of its own.
        string[] arguments =
        [
            "-c", "exec setsid \"$0\" \"$@\" </dev/null >/dev/null 2>&1", Environment.ProcessPath!, "router", "run",
                "-c", conf,
            "-P", ready, .. users is null ? (string[])[] : ["--users", users],
        ];
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", arguments))
            ?? throw new CommandException(ExitCode.Failed, "cannot start /bin/sh");
        for (int waitedMs = 0; waitedMs < PatienceMs; waitedMs += PollMs)
        {
            if (process.HasExited)
            {
                throw new CommandException(
                    ExitCode.Failed, "the router did not start; without -d it says why");
            }

            if (CommandFiles.TryReadText(ready)?.Trim() == $"{process.Id}")
            {
                return ExitCode.Good;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(PollMs), TimeProvider.System);
        }

        throw new CommandException(ExitCode.Timeout, $"the router is not ready after {PatienceMs / 1000} seconds");
    }
}
