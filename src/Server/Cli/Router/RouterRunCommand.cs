using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Pillarbox.Hosting;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;

namespace Pillarbox.Server.Cli.Router;

/// <summary><c>pillarbox router run</c>: a node from the configuration file of <c>qdrouterd</c>, started and logging as
/// that program does.</summary>
internal static class RouterRunCommand
{
    private const string UsualFile = "/etc/qpid-dispatch/qdrouterd.conf";

    public static Command Create()
    {
        Option<string> conf = new("--conf", "-c")
        {
            Description = $"The configuration file of the router (default {UsualFile}).",
            DefaultValueFactory = _ => UsualFile,
        };
        Option<string?> include = new("--include", "-I")
        {
            Description = "Taken and not needed: where that program finds its Python library.",
        };
        Option<bool> daemon = new("--daemon", "-d") { Description = "Go on in the background once it is ready." };
        Option<string?> pidFile = new("--pidfile", "-P") { Description = "Write the process id to this file." };
        Option<string?> user = new("--user", "-U")
        { Description = "Refused: start it as the user that it is to run as." };
        Option<string?> users = new("--users")
        {
            Description = "The file of users who may log in with a password, made with 'pillarbox user add'.",
        };
        Option<bool> test = new("--test", "-T") { Description = "Only read the file, and say what is wrong with it." };
        Option<bool> version = new("--router-version", "-v") { Description = "Print the version." };
        var command = new Command(
            "run", "Run a node from a qdrouterd.conf, in the foreground; -c, -I, -d, -P, -v mean what they mean there.")
        {
            conf, include, daemon, pidFile, user, users, test, version,
        };
        command.SetAction((parsed, _) => RunAsync(new Flags(
            parsed.GetValue(conf)!, parsed.GetValue(daemon), parsed.GetValue(pidFile), parsed.GetValue(user),
            parsed.GetValue(users), parsed.GetValue(test), parsed.GetValue(version))));
        return command;
    }

    private static async Task<int> RunAsync(Flags flags)
    {
        if (flags.Version)
        {
            Console.WriteLine(typeof(RouterRunCommand).Assembly.GetName().Version?.ToString(3));
            return ExitCode.Good;
        }

        if (flags.User is not null)
        {
            throw new CommandException(ExitCode.Usage, "-U is not taken: start it as the user that it is to run as");
        }

        if (flags.Users is { } users && CommandFiles.TryReadText(users) is null)
        {
            throw new CommandException(
                ExitCode.Failed, $"there is no file of users {users}; 'pillarbox user add NAME --data DIR' makes "
                    + "DIR/users.json");
        }

        RouterConfFile file = RouterConfFile.Load(flags.Conf, flags.Users);
        if (flags.Test)
        {
            foreach (string note in file.Notes)
            {
                Console.WriteLine(note);
            }

            return ExitCode.Good;
        }

        if (file.ExposedListener is { } exposed)
        {
            throw new CommandException(
                ExitCode.Failed, $"{flags.Conf}: anybody could connect to {exposed}: write 'authenticatePeer: no' "
                    + "there if that is meant, else 'authenticatePeer: yes' or 'host: 127.0.0.1'");
        }

        if (flags.Daemon)
        {
            return await BackgroundRouter.StartAsync(flags.Conf, flags.PidFile, flags.Users);
        }

        using var log = new RouterLog(file.Logs, Console.Error, TimeProvider.System);
        foreach (string note in file.Notes)
        {
            log.Write("AGENT", RouterLogLevel.Warning, note);
        }

        return await RunAsync(file.Config, log, flags.PidFile);
    }

    private static async Task<int> RunAsync(PillarboxConfig config, RouterLog log, string? pidFile)
    {
        using ILoggerFactory logs = LoggerFactory.Create(builder => builder
            .SetMinimumLevel(LogLevel.Trace)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddProvider(log));
        try
        {
            return await ForegroundNode.RunAsync(config, logs, endpoints => Announce(endpoints, log, pidFile), log);
        }
        finally
        {
            if (pidFile is not null)
            {
                CommandFiles.Delete(pidFile);
            }
        }
    }

    private static void Announce(IReadOnlyList<NodeEndpoint> endpoints, RouterLog log, string? pidFile)
    {
        if (pidFile is not null)
        {
            CommandFiles.Write(pidFile, $"{Environment.ProcessId}\n");
        }

        log.Write("SERVER", RouterLogLevel.Notice, string.Create(
            CultureInfo.InvariantCulture,
            $"Operational, {Environment.ProcessorCount} Threads Running (process ID {Environment.ProcessId})"));
        foreach (NodeEndpoint endpoint in endpoints)
        {
            log.Write("SERVER", RouterLogLevel.Notice, $"Listening on {endpoint.Address}");
        }
    }

    private sealed record Flags(string Conf, bool Daemon, string? PidFile, string? User, string? Users, bool Test,
        bool Version);
}
