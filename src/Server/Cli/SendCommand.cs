using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli;

/// <summary>
/// <c>pillarbox send</c>: puts messages on an address of any AMQP 1.0 server and waits until it has them.
/// </summary>
internal static class SendCommand
{
    private static readonly Argument<string> Address = AddressCommands.Named("Where the messages go.");

    private static readonly Option<string?> Body = new("--body") { Description = "The text of each message." };

    private static readonly Option<string?> File = new("--file") { Description = "A file whose bytes are the body." };

    private static readonly Option<bool> Lines =
        new("--stdin-lines") { Description = "A message for each line of input." };

    private static readonly Option<long> Count = new("--count")
    {
        Description = "How many messages (default 1; with --stdin-lines at most that many).",
    };

    private static readonly Option<bool> Durable = new("--durable")
    {
        Description = "Acknowledged only when they are on disk (default true).",
        DefaultValueFactory = _ => true,
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<byte?> Priority = new("--priority") { Description = "0 to 9, default 4." };

    private static readonly Option<string?> Ttl =
        new("--ttl") { Description = "Time to live, as 500ms, 30s, 5m or 2h." };

    private static readonly Option<string[]> Properties = new("--property")
    {
        Description = "name=value; a number or true/false is sent as such. Repeatable.",
    };

    private static readonly Option<double> Rate = new("--rate") { Description = "At most so many messages a second." };

    public static Command Create()
    {
        var target = new AmqpTarget.Flags();
        var command = new Command("send", "Send messages to an address.")
        {
            Address, Body, File, Lines, Count, Durable, Priority, Ttl, Properties, Rate,
        };
        target.AddTo(command);
        command.Validators.Add(CheckBody);
        command.SetAction((parsed, cancellation) => SendAsync(target.Read(parsed), parsed, cancellation));
        return command;
    }

    private static void CheckBody(CommandResult result)
    {
        int given = (result.GetResult(Body) is null ? 0 : 1) + (result.GetResult(File) is null ? 0 : 1)
            + (result.GetResult(Lines) is null ? 0 : 1);
        if (given != 1)
        {
            result.AddError("give one of --body, --file and --stdin-lines");
        }
    }

    private static Task<int> SendAsync(AmqpTarget target, ParseResult parsed, CancellationToken cancellation)
    {
        long count = parsed.GetResult(Count) is null
            ? parsed.GetValue(Lines) ? long.MaxValue : 1
            : parsed.GetValue(Count);
        using MessageSource source = SourceOf(parsed, count);
        string address = parsed.GetValue(Address)!;
        using NetworkClient client = NetworkClient.Open(target, $"pillarbox-send-{Environment.ProcessId}");
        var sending = new MessageSending(client, address, parsed.GetValue(Rate));
        sending.Run(source, cancellation);
        client.Close();
        Console.WriteLine($"sent {sending.Accepted} to {address}");
        return Task.FromResult(ExitCode.Good);
    }

    private static MessageSource SourceOf(ParseResult parsed, long count)
    {
        AmqpMessage envelope = new()
        {
            Header = new HeaderSection
            {
                Durable = parsed.GetValue(Durable),
                Priority = parsed.GetValue(Priority),
                TtlMs = parsed.GetValue(Ttl) is { } ttl ? DurationMs(ttl) : null,
            },
            Properties = new MessageProperties(),
            ApplicationProperties = PropertiesOf(parsed.GetValue(Properties) ?? []),
        };
        if (parsed.GetValue(Lines))
        {
            return MessageSource.FromLines(envelope, Console.OpenStandardInput(), count);
        }
        return parsed.GetValue(File) is { } file
            ? MessageSource.FromBytes(envelope, CommandFiles.ReadAll(file), count)
            : MessageSource.FromText(envelope, parsed.GetValue(Body)!, count);
    }

    private static AmqpMap? PropertiesOf(string[] pairs)
    {
        if (pairs.Length == 0)
        {
            return null;
        }
        AmqpMap map = new();
        foreach (string pair in pairs)
        {
            int equals = pair.IndexOf('=');
            if (equals <= 0)
            {
                throw new CommandException(ExitCode.Usage, $"'{pair}' is no property: write name=value");
            }
            map.Set(AmqpValue.String(pair[..equals]), ValueOf(pair[(equals + 1)..]));
        }
        return map;
    }

    private static AmqpValue ValueOf(string text) => text switch
    {
        "true" => true,
        "false" => false,
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) =>
            number,
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => text,
    };

    private static uint DurationMs(string text)
    {
        (string number, double unitMs) = text switch
        {
            _ when text.EndsWith("ms", StringComparison.Ordinal) => (text[..^2], 1.0),
            _ when text.EndsWith('s') => (text[..^1], 1_000.0),
            _ when text.EndsWith('m') => (text[..^1], 60_000.0),
            _ when text.EndsWith('h') => (text[..^1], 3_600_000.0),
            _ => (text, 1.0),
        };
        return double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value * unitMs is >= 1 and <= uint.MaxValue
                ? (uint)(value * unitMs)
                : throw new CommandException(ExitCode.Usage, $"--ttl {text}: write 500ms, 30s, 5m or 2h");
    }
}
