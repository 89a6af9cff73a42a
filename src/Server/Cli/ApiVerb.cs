using System.CommandLine;

namespace Pillarbox.Server.Cli;

/// <summary>What a reading verb has read, ready to be printed either way.</summary>
internal sealed record Reading(Action PrintJson, Action PrintTable);

/// <summary>A verb over the HTTP API: has the API's flags, and for reads <c>-o</c>.</summary>
internal sealed class ApiVerb(string name, string description) : Command(name, description)
{
    private readonly ApiTarget.Flags _flags = new();
    private readonly Option<OutputFormat> _output = Output.Option();

    /// <summary>The verb reads something and prints it.</summary>
    public Command Reads(Func<ApiClient, ParseResult, CancellationToken, Task<Reading>> read)
    {
        _flags.AddTo(this);
        Options.Add(_output);
        SetAction(async (parsed, cancellation) =>
        {
            using var api = new ApiClient(_flags.Read(parsed));
            Reading reading = await read(api, parsed, cancellation);
            Action print = parsed.GetValue(_output) == OutputFormat.Json ? reading.PrintJson : reading.PrintTable;
            print();
            return ExitCode.Good;
        });
        return this;
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
