using System.CommandLine;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox receive</c>: takes messages from an address of any AMQP 1.0 server and prints them.</summary>
internal static class ReceiveCommand
{
    private static readonly Argument<string> Address = AddressCommands.Named("Where the messages come from.");

    private static readonly Option<long?> Count = new("--count")
    {
        Description = "Stop after so many messages (default: go on).",
    };

    private static readonly Option<double?> Timeout = new("--timeout")
    {
        Description = "Stop after so many seconds without a message (default: wait); "
            + "fewer messages than --count are then an error.",
    };

    private static readonly Option<bool> Browse = new("--browse")
    {
        Description = "Look at the messages and leave them where they are.",
    };

    private static readonly Option<string?> Selector =
        new("--selector") { Description = "A JMS selector: \"price > 5\"." };

    private static readonly Option<bool> NoAck = new("--no-ack")
    {
        Description = "Do not acknowledge: at the end all messages go back.",
    };

    private static readonly Option<MessageFormat> Format = new("--output", "-o")
    {
        Description = "text (the bodies, default), json (one object a line) or table.",
    };

    public static Command Create()
    {
        var target = new AmqpTarget.Flags();
        var command = new Command("receive", "Receive messages from an address.")
        {
            Address, Count, Timeout, Browse, Selector, NoAck, Format,
        };
        target.AddTo(command);
        command.SetAction(
            (parsed, cancellation) => Task.FromResult(Receive(target.Read(parsed), parsed, cancellation)));
        return command;
    }

    private static int Receive(AmqpTarget target, ParseResult parsed, CancellationToken cancellation)
    {
        bool browse = parsed.GetValue(Browse);
        long wanted = parsed.GetValue(Count) ?? long.MaxValue;
        using Stream output = Console.OpenStandardOutput();
        var printer = new MessagePrinter(output, parsed.GetValue(Format));
        using NetworkClient client = NetworkClient.Open(target, $"pillarbox-receive-{Environment.ProcessId}");
        var receiving = new MessageReceiving(client, printer, wanted)
        {
            Outcome = parsed.GetValue(NoAck) ? DeliveryStateKind.Released : DeliveryStateKind.Accepted,
            IsBrowsing = browse,
        };
        receiving.Attach(SourceOf(parsed.GetValue(Address)!, browse, parsed.GetValue(Selector)));
        receiving.Run(parsed.GetValue(Timeout) ?? double.PositiveInfinity, cancellation);
        client.Close();
        if (parsed.GetValue(Count) is not null && receiving.Received < wanted && !browse)
        {
            string fewer = $"{receiving.Received} of {wanted} messages came";
            int code = cancellation.IsCancellationRequested ? ExitCode.Failed : ExitCode.Timeout;
            throw new CommandException(code, fewer);
        }
        return ExitCode.Good;
    }

    private static Source SourceOf(string address, bool browse, string? selector)
    {
        AmqpMap? filter = null;
        if (selector is not null)
        {
            filter = new AmqpMap();
            filter.AddSymbol(
                "apache.org:selector-filter:string", AmqpValue.Described(Descriptors.SelectorFilter, selector));
        }
        return new Source
        {
            Address = address,
            DistributionMode = browse ? DistributionMode.Copy : null,
            Filter = filter,
        };
    }
}
