using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Pillarbox.Load.Peers;

/// <summary>A server's process and its temporary folder; both go when it is disposed. Only own processes are
/// ended.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly string? _folder;

    private PeerProcess(Process process, string? folder)
    {
        _process = process;
        _folder = folder;
    }

    public int Pid => _process.Id;

    /// <summary>What the process printed so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Starts a program; the folder, if given, is deleted at the end.</summary>
    public static PeerProcess Start(ProcessStartInfo start, string? folder)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        Process process = Process.Start(start)!;
        var peer = new PeerProcess(process, folder);
        process.OutputDataReceived += (_, line) => peer.Add(line.Data);
        process.ErrorDataReceived += (_, line) => peer.Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return peer;
    }

    /// <summary>Waits until a line says that the server is ready.</summary>
    public async Task<string> WaitForLineAsync(Func<string, bool> ready, double seconds)
    {
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end)
        {
            if (Lines.FirstOrDefault(ready) is { } line)
            {
                return line;
            }
            if (_process.HasExited)
            {
                break;
            }
            await Task.Delay(5);
        }

        throw NotReady();
    }

    /// <summary>Waits until something listens at a loopback port, for a server that says nothing.</summary>
    public async Task WaitForPortAsync(int port, double seconds)
    {
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        while (Stopwatch.GetTimestamp() < end && !_process.HasExited)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                // Not yet.
                await Task.Delay(100);
            }
        }

        throw NotReady();
    }

    /// <summary>The process itself or the one below it that has this name.</summary>
    public int PidOf(string name)
    {
        var below = new Queue<int>([Pid]);
        while (below.TryDequeue(out int pid))
        {
            if (ReadOrEmpty($"/proc/{pid}/comm").Trim() == name)
            {
                return pid;
            }
            foreach (string child in ReadOrEmpty($"/proc/{pid}/task/{pid}/children").Split(' '))
            {
                if (int.TryParse(child, CultureInfo.InvariantCulture, out int childPid))
                {
                    below.Enqueue(childPid);
                }
            }
        }
        return Pid;
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>A temporary folder on the disk that holds the working directory, not one in memory.</summary>
    public static string NewFolder(string name)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "data", $"{name}-{Environment.ProcessId}-{FreePort()}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Terminate(Pid);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        _process.Dispose();
        if (_folder is not null && Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    /// <summary>Asks a process to end (SIGTERM).</summary>
    public static void Terminate(int pid)
    {
        using Process kill = Process.Start("kill", ["-TERM", pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private InvalidOperationException NotReady() =>
        new($"{_process.StartInfo.FileName} did not get ready:\n{string.Join('\n', Lines.TakeLast(20))}");

    private static string ReadOrEmpty(string path) => File.Exists(path) ? File.ReadAllText(path) : "";

    private void Add(string? line)
    {
        if (line is not null)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }
        }
    }
}
