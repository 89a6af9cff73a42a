using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>How a foreign client ended and what it said.</summary>
internal sealed record ClientResult(string Command, int ExitCode, string Output, string Errors)
{
    public string Everything => $"{Command}\nended with {ExitCode}\n{Output}\n{Errors}";

    /// <summary>The client ended with this code.</summary>
    public void AssertExit(int code) => Assert.True(ExitCode == code, Everything);

    /// <summary>The client found everything right: exit code 0 and "ok" as its last line.</summary>
    public void AssertOk()
    {
        Assert.True(ExitCode == 0, Everything);
        Assert.EndsWith("ok", Output.TrimEnd(), StringComparison.Ordinal);
    }
}

/// <summary>Runs a foreign client to its end, in a process of its own.</summary>
internal static class ClientProcess
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    public static async Task<ClientResult> RunAsync(string program, string[] arguments, string? input = null)
    {
        using Process process = Start(program, arguments, redirectInput: input is not null);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        try
        {
            await process.WaitForExitAsync().WaitAsync(Timeout);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
        string command = $"{program} {string.Join(' ', arguments)}";
        return new ClientResult(command, process.ExitCode, await output, await errors);
    }

    /// <summary>Starts a client that goes on beside the test; the caller ends it.</summary>
    public static Process Start(string program, string[] arguments, bool redirectInput = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = redirectInput,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Programs.Folder,
        };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        return Process.Start(start)!;
    }
}
