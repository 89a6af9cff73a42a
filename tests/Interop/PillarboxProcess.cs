using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>
/// The real program as a process of its own: started on free ports, stopped by SIGTERM or killed by SIGKILL, never
/// anything but the process that this object started.
/// </summary>
internal sealed class PillarboxProcess : IAsyncDisposable
{
    private static readonly string[] Protocols = ["all", "amqp", "kafka", "mqtt", "openwire", "stomp", "http"];
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, string> _listeners = [];
    private bool _disposed;

    private PillarboxProcess(Process process) => _process = process;

    /// <summary>"host:port" of a listener by its protocol, as the program printed it.</summary>
    public string Listener(string protocol) =>
        _listeners.TryGetValue(protocol, out string? address)
            ? address
            : throw new InvalidOperationException($"The node printed no {protocol} listener.\n{Output}");

    public string AmqpUrl => $"amqp://{Listener("amqp")}";

    public string AmqpHost => Listener("amqp")[..Listener("amqp").LastIndexOf(':')];

    public string AmqpPort => Listener("amqp")[(Listener("amqp").LastIndexOf(':') + 1)..];

    /// <summary>Where Kafka clients bootstrap: "host:port".</summary>
    public string KafkaServers => Listener("kafka");

    public string HttpUrl => $"http://{Listener("http")}";

    /// <summary>All that the program has written so far, both streams.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>The program writes this, now or soon.</summary>
    public async Task AssertWritesAsync(string text)
    {
        for (int looks = 0; looks < 600 && !Output.Contains(text, StringComparison.Ordinal); looks++)
        {
            await Task.Delay(100);
        }

        Assert.Contains(text, Output, StringComparison.Ordinal);
    }

    public bool HasExited => _process.HasExited;

    public int Id => _process.Id;

    /// <summary>Starts a node with its data in the folder and waits until it says that it is ready.</summary>
    public static Task<PillarboxProcess> StartAsync(string dataDirectory, params string[] more) =>
        StartAsync(dataDirectory, ownListeners: false, more);

    /// <summary>The same; the listeners may be those of a configuration that <paramref name="more"/> names.</summary>
    public static Task<PillarboxProcess> StartAsync(
        string dataDirectory, bool ownListeners, params string[] more) =>
        StartWithinAsync([], dataDirectory, ownListeners, more);

    /// <summary>The same, by a command that runs the program somewhere else, such as in a network namespace.</summary>
    public static async Task<PillarboxProcess> StartWithinAsync(
        string[] within, string dataDirectory, bool ownListeners, params string[] more)
    {
        string[] listen = ownListeners
            ? []
            : [.. Protocols.SelectMany(p => new[] { "--listen", $"{p}=127.0.0.1:0" })];
        string[] run = ["run", "--data", dataDirectory, .. listen, .. more];
        PillarboxProcess node = Launch([.. within, Programs.Pillarbox, .. run]);
        try
        {
            await node._ready.Task.WaitAsync(StartTimeout);
            return node;
        }
        catch (Exception broken)
        {
            await node.DisposeAsync();
            throw new InvalidOperationException($"The node did not become ready.\n{node.Output}", broken);
        }
    }

    /// <summary>Starts a node as the router that a file describes; what it says tells when it is ready.</summary>
    public static PillarboxProcess StartRouter(string conf, params string[] more) =>
        Launch([Programs.Pillarbox, "router", "run", "-c", conf, .. more]);

    /// <summary>SIGKILL: no handler runs, nothing is flushed.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGSTOP: its sockets stay, and nothing answers any more. Or SIGCONT: it goes on.</summary>
    public async Task PauseAsync(bool goesOn = false)
    {
        using Process signal = Process.Start("kill", [goesOn ? "-CONT" : "-STOP", $"{_process.Id}"]);
        await signal.WaitForExitAsync();
    }

    /// <summary>SIGTERM, then waits for the clean end; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (Process term = Process.Start("kill", ["-TERM", $"{_process.Id}"])) await term.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(StopTimeout);
        return _process.ExitCode;
    }

    /// <summary>Kills what still runs; may be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private static PillarboxProcess Launch(string[] command)
    {
        var process = new Process { StartInfo = new ProcessStartInfo(command[0], command[1..]) };
        process.StartInfo.RedirectStandardOutput = true;
        process.StartInfo.RedirectStandardError = true;
        process.EnableRaisingEvents = true;
        var node = new PillarboxProcess(process);
        process.OutputDataReceived += (_, e) => node.OnLine(e.Data);
        process.ErrorDataReceived += (_, e) => node.OnLine(e.Data);
        process.Exited += (_, _) => node._ready.TrySetException(new InvalidOperationException("The process ended."));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return node;
    }

    private void OnLine(string? line)
    {
        if (line is null) return;
        _output.Enqueue(line);
        if (line.Split(' ') is ["listening", var protocol, var address]) _listeners[protocol] = address;
        if (line == "ready") _ready.TrySetResult();
    }
}
