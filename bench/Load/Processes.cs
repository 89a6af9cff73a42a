using System.Diagnostics;
using System.Globalization;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load;

/// <summary>Small things that rows do to processes.</summary>
internal static class Processes
{
    private const string Queue = "backlog";

    public static double ResidentMiB(int pid)
    {
        string line =
            File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        string kilobytes = line[6..].Replace("kB", "", StringComparison.Ordinal);
        return double.Parse(kilobytes, CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>Seconds of processor time of all threads, user and system.</summary>
    public static double CpuSeconds(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture)
            + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }

    /// <summary>Files and connections that the system lets a process have open at once.</summary>
    public static long OpenFilesMax(int pid)
    {
        string line =
            File.ReadLines($"/proc/{pid}/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        return soft == "unlimited" ? long.MaxValue : long.Parse(soft, CultureInfo.InvariantCulture);
    }

    /// <summary>Ends an own process without warning (SIGKILL).</summary>
    public static void Kill(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        process.Kill();
        process.WaitForExit();
    }

    /// <summary>Puts durable messages into one queue.</summary>
    public static async Task FillAsync(string program, IPeer peer, int messages, int bodyBytes)
    {
        string file = Path.Combine(PeerProcess.NewFolder("body"), "body");
        await File.WriteAllBytesAsync(file, new byte[bodyBytes]);
        try
        {
            await RunAsync(program, "send", peer.QueueAddress(Queue), "--url", peer.AmqpUrl!, "--file", file,
                "--count", messages.ToString(CultureInfo.InvariantCulture));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    /// <summary>Takes all messages out again; returns the seconds from the first to the last.</summary>
    public static async Task<double> DrainAsync(string program, IPeer peer, int messages, int bodyBytes)
    {
        Dictionary<string, double> figures = await Rows.PerfProcess.RunAsync(program,
        [
            "perf", "amqp", "--url", peer.AmqpUrl!, "--address", peer.QueueAddress(Queue), "--drain",
            messages.ToString(CultureInfo.InvariantCulture), "--size",
            bodyBytes.ToString(CultureInfo.InvariantCulture), "-o", "json",
        ]);
        return messages / figures[Figure.Rate];
    }

    /// <summary>Runs a verb of the program to its end.</summary>
    public static async Task RunAsync(string program, params string[] arguments)
    {
        ProcessStartInfo start =
            new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', arguments)}: {errors} {await output}");
        }
    }
}
