using System.Globalization;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>What a process has used, by the kernel's account (/proc, Linux).</summary>
internal static class ProcessUsage
{
    // The kernel's USER_HZ, which is 100 on every platform .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>
    /// Seconds of processor time of all threads, user and system; null when there is no such process.
    /// </summary>
    public static double? CpuSeconds(int pid)
    {
        // The second field, the name, may hold blanks and parentheses; utime and stime are the 14th and 15th.
        string? stat = CommandFiles.TryReadText($"/proc/{pid}/stat");
        string[]? fields = stat?[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields is null ? null : (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
    }

    /// <summary>Resident bytes; null when there is no such process.</summary>
    public static long? ResidentBytes(int pid)
    {
        string? status = CommandFiles.TryReadText($"/proc/{pid}/status");
        string? line = status?.Split('\n').FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null ? null : Number(line[6..].Replace("kB", "", StringComparison.Ordinal).Trim()) * 1024;
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
