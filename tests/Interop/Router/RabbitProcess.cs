using System.Diagnostics;
using System.Security.Cryptography;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Debian's RabbitMQ with its plugin for AMQP 1.0, as a process with a folder, ports and a user of its own.
/// </summary>
internal sealed class RabbitProcess : IAsyncDisposable
{
    private const string Home = "/usr/lib/rabbitmq/lib";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);

    private readonly TemporaryDirectory _folder;
    private readonly Process _names;
    private readonly Process _broker;

    private RabbitProcess(TemporaryDirectory folder, Process names, Process broker, string port)
    {
        _folder = folder;
        _names = names;
        _broker = broker;
        Port = port;
    }

    /// <summary>The user that it knows.</summary>
    public const string User = "tester";

    public string Port { get; }

    /// <summary>A file with the user's password.</summary>
    public string PasswordFile => Path.Combine(_folder.Path, "password");

    public string Url => $"amqp://{User}:{File.ReadAllText(PasswordFile)}@127.0.0.1:{Port}";

    public static async Task<RabbitProcess> StartAsync()
    {
        var folder = new TemporaryDirectory();
        string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
        (string amqp, string names, string nodes) =
            ($"{LoopbackPort.Free()}", $"{LoopbackPort.Free()}", $"{LoopbackPort.Free()}");
        await WriteAsync(folder, "password", password);
        await WriteAsync(folder, "enabled_plugins", "[rabbitmq_amqp1_0].");
        await WriteAsync(
            folder, "rabbitmq.conf",
            $"""
            listeners.tcp.1 = 127.0.0.1:{amqp}
            default_user = {User}
            default_pass = {password}
            amqp1_0.default_user = {User}
            log.console = true
            log.file = false

            """);
        // The broker finds its name server there instead of starting one that stays behind.
        Process epmd = Process.Start("epmd", ["-address", "127.0.0.1", "-port", names]);
        Process broker = Launch(folder.Path, names, nodes);
        var rabbit = new RabbitProcess(folder, epmd, broker, amqp);
        try
        {
            await rabbit.ReadyAsync().WaitAsync(StartTimeout);
            return rabbit;
        }
        catch
        {
            await rabbit.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in (Process[])[_broker, _names])
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _folder.Dispose();
    }

    private static Process Launch(string folder, string names, string nodes)
    {
        string version = Directory.GetDirectories(Home, "rabbitmq_server-*").Order(StringComparer.Ordinal).Last();
        var start = new ProcessStartInfo(Path.Combine(version, "sbin", "rabbitmq-server"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (string Name, string Value)[] environment =
        [
            ("HOME", folder), ("ERL_EPMD_PORT", names), ("RABBITMQ_DIST_PORT", nodes),
            ("RABBITMQ_NODENAME", $"pillarbox{names}@localhost"),
            ("RABBITMQ_MNESIA_BASE", Path.Combine(folder, "mnesia")),
            ("RABBITMQ_LOG_BASE", Path.Combine(folder, "log")),
            ("RABBITMQ_CONFIG_FILE", Path.Combine(folder, "rabbitmq.conf")),
            ("RABBITMQ_ADVANCED_CONFIG_FILE", Path.Combine(folder, "none.config")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", Path.Combine(folder, "enabled_plugins")),
            ("RABBITMQ_CONF_ENV_FILE", "/dev/null"), ("RABBITMQ_LOGS", "-"),
        ];
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private async Task ReadyAsync()
    {
        Task<string> errors = _broker.StandardError.ReadToEndAsync();
        var said = new List<string>();
        while (await _broker.StandardOutput.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.Contains("Server startup complete", StringComparison.Ordinal))
            {
                // What it still says is nobody's concern, but must be read.
                _ = _broker.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"{string.Join('\n', said)}\n{await errors}");
    }

    private static Task WriteAsync(TemporaryDirectory folder, string name, string text) =>
        File.WriteAllTextAsync(Path.Combine(folder.Path, name), text);
}
