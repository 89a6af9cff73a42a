using System.CommandLine;

namespace Pillarbox.Server.Cli;

/// <summary>What a reading verb has read, ready to be printed either way.</summary>
internal sealed record Reading(Action PrintJson, Action PrintTable);

/// <summary>A verb over the HTTP API: has the API's flags, and for reads <c>-o</c>.</summary>
internal sealed class ApiVerb(string name, string description) : Command(name, description)
{
    private const int WatchSeconds = 2;

    private readonly ApiTarget.Flags _flags = new();
    private readonly Option<OutputFormat> _output = Output.Option();
    private Option<int?>? _watch;

    /// <summary>The verb has <c>--watch</c>: it reads and prints again until it is stopped.</summary>
    public ApiVerb Watches()
    {
        _watch = new Option<int?>("--watch")
        {
            Description = "Print again every so many seconds (2 without a number), until Ctrl+C.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Options.Add(_watch);
        return this;
    }

    /// <summary>The verb reads something and prints it.</summary>
    public Command Reads(Func<ApiClient, ParseResult, CancellationToken, Task<Reading>> read)
    {
        _flags.AddTo(this);
        Options.Add(_output);
        SetAction(async (parsed, cancellation) =>
        {
            using var api = new ApiClient(_flags.Read(parsed));
            while (true)
            {
                Reading reading = await read(api, parsed, cancellation);
                Action print = parsed.GetValue(_output) == OutputFormat.Json ? reading.PrintJson : reading.PrintTable;
                print();
                if (_watch is null || parsed.GetResult(_watch) is null)
                {
                    return ExitCode.Good;
                }

                await WaitAsync(parsed.GetValue(_watch) ?? WatchSeconds, cancellation);
            }
        });
        return this;
    }

    private static async Task WaitAsync(int seconds, CancellationToken cancellation)
    {
        await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(seconds, 1, 3600)), TimeProvider.System, cancellation);
        if (!Console.IsOutputRedirected)
        {
            Console.Clear();
        }
    }

    /// <summary>The verb changes something and prints nothing.</summary>
    public Command Does(Func<ApiClient, ParseResult, CancellationToken, Task> act)
    {
        _flags.AddTo(this);
        SetAction(async (parsed, cancellation) =>
        {
            using var api = new ApiClient(_flags.Read(parsed));
            await act(api, parsed, cancellation);
            return ExitCode.Good;
        });
        return this;
    }
}
