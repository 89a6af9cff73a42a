using System.Diagnostics;

namespace Pillarbox.Server.Tests;

/// <summary>What one run of the program gave.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The one line on standard error. Fails when there are more, or none.</summary>
    public string OneError => Errors.TrimEnd('\n') is { Length: > 0 } line && !line.Contains('\n')
        ? line
        : throw new InvalidOperationException($"not one line on standard error:\n{Errors}");
}

/// <summary>The real program, as a process.</summary>
internal static class Cli
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    public static string Program { get; } = Find();

    public static Task<CliResult> RunAsync(params string[] arguments) => RunWithAsync(null, null, arguments);

    /// <summary>Runs to the end with a text as standard input and further environment variables.</summary>
    public static async Task<CliResult> RunWithAsync(
        string? input, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        using Process process = Start(environment, arguments);
        await process.StandardInput.WriteAsync(input ?? "");
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(Timeout);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"pillarbox {string.Join(' ', arguments)} did not end");
        }

        return new CliResult(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts a process; the caller ends it.</summary>
    public static Process Start(IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        // Whoever starts the tests in the background may have told them to ignore SIGINT, which would be inherited.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", Program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        const string Prefix = "PILLARBOX";
        string[] names = [.. start.Environment.Keys];
        foreach (string name in names.Where(n => n.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)))
        {
            start.Environment.Remove(name);
        }

        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static string Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Pillarbox.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Path.Combine(folder!, "artifacts", "bin", "Pillarbox.Server", configuration, "pillarbox");
    }
}
