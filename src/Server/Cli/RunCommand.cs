using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Pillarbox.Hosting;
using Pillarbox.Hosting.Configuration;
using LogFormat = Pillarbox.Hosting.Configuration.LogFormat;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox run</c>: a node in the foreground until SIGTERM or Ctrl+C.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var options = new ConfigOptions();
        var command = new Command("run", "Run a node in the foreground.");
        options.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(options.Load(parsed)));
        return command;
    }

    private static async Task<int> RunAsync(PillarboxConfig config)
    {
        using ILoggerFactory logs = CreateLogs(config.Logging);
        return await ForegroundNode.RunAsync(config, logs, endpoints =>
        {
            foreach (NodeEndpoint endpoint in endpoints)
            {
                Console.WriteLine($"listening {endpoint.ProtocolText} {endpoint.Address}");
            }

            Console.WriteLine("ready");
        });
    }

    private static ILoggerFactory CreateLogs(LoggingConfig logging) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(logging.Level);
        // The web server's own chatter (a line or more per request) is for those who hunt its faults.
        builder.AddFilter("Microsoft", logging.Level < LogLevel.Information ? logging.Level : LogLevel.Warning);
        // A start that fails is told in one line by the command, not by a trace of the stack.
        builder.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        if (logging.Format == LogFormat.Json)
        {
            builder.AddJsonConsole(o => o.UseUtcTimestamp = true);
        }
        else
        {
            builder.AddSimpleConsole(o =>
            {
                o.SingleLine = true;
                o.UseUtcTimestamp = true;
                o.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            });
        }

        // Standard output is for what scripts read.
        builder.Services.Configure<ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
    });
}
