// The table of contents of the program: one line a verb, each in a file of its own under Cli/.
using Pillarbox.Server.Cli;
using Pillarbox.Server.Cli.Perf;
using Pillarbox.Server.Cli.Streams;

return await CommandLine.RunAsync(args,
[
    RunCommand.Create(),
    SendCommand.Create(),
    ReceiveCommand.Create(),
    PerfCommand.Create(),
    QueueCommands.Create(),
    AddressCommands.Create(),
    StreamCommands.Create(),
    GroupCommands.Create(),
    ConnectionCommands.Create(),
    ConsumerCommands.Create(),
    TransactionCommands.Create(),
    NodeCommands.Create(),
    RouterCommands.Create(),
    UserCommands.Create(),
    DataCommands.Create(),
    QuarantineCommands.Create(),
    ConfigCommands.Create(),
    CompletionCommand.Create(),
]);
