using System.CommandLine;
using Pillarbox.Broker;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Storage;

namespace Pillarbox.Server.Cli;

/// <summary>What the program's exit code says; stable, and written down in docs/command-line.md.</summary>
internal static class ExitCode
{
    public const int Good = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Denied = 4;
    public const int Timeout = 5;
    public const int Conflict = 6;
}

/// <summary>A verb cannot go on: one line for standard error, and the exit code.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>Parses, runs one verb, turns every failure into one line and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, IReadOnlyList<Command> verbs)
    {
        var root = new RootCommand("Pillarbox: a message broker in one program.");
        foreach (Command verb in verbs)
        {
            root.Subcommands.Add(verb);
        }

        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            return Fail(ExitCode.Usage, $"{FaultOf(parsed)} (see --help)");
        }

        try
        {
            // A verb that must end cleanly (run) waits for its own time-out, not for a fixed one.
            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation);
        }
        catch (Exception e)
        {
            return Explain(e);
        }
    }

    // What nobody knows comes first, for the other errors follow from it. Types of the program say nothing to a user.
    private static string FaultOf(ParseResult parsed)
    {
        const string Type = " as expected type '";
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            return $"Unrecognized command or argument '{unknown}'.";
        }

        string message = parsed.Errors[0].Message;
        int from = message.IndexOf(Type, StringComparison.Ordinal);
        int to = from < 0 ? -1 : message.IndexOf('\'', from + Type.Length);
        message = to < 0 ? message : message.Remove(from, to + 1 - from);

        // Some are lists of several lines.
        return string.Join(' ', message.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));
    }

    private static int Explain(Exception error) => error switch
    {
        CommandException e => Fail(e.ExitCode, e.Message),
        ConfigException e => Fail(ExitCode.Usage, e.Message),
        StartException or StorageException => Fail(ExitCode.Failed, error.Message),
        BrokerException e => Fail(CodeOf(e.Error), e.Message),
        OperationCanceledException => Fail(ExitCode.Failed, "interrupted"),
        _ => Fail(ExitCode.Failed, $"unexpected: {error.GetType().Name}: {error.Message}"),
    };

    private static int CodeOf(BrokerError error) => error switch
    {
        BrokerError.NotFound => ExitCode.NotFound,
        BrokerError.Unauthorized => ExitCode.Denied,
        BrokerError.PreconditionFailed or BrokerError.ResourceLocked => ExitCode.Conflict,
        BrokerError.InvalidField => ExitCode.Usage,
        _ => ExitCode.Failed,
    };

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine($"pillarbox: {Output.Printable(message.ReplaceLineEndings(" "))}");
        return code;
    }
}
