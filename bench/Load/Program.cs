// Measures Pillarbox and its peers on this machine, in one run, in turns: ./do.cs bench load [rows] [options].
using Pillarbox.Load;
using Pillarbox.Load.Peers;
using Pillarbox.Load.Rows;

const string Help = """
    usage: ./do.cs bench load [ROW...] [options]

      ROW                 a name from the list below; without any, all but those marked "long"
      --runs N            runs of each row and peer, of which the median counts (default 5)
      --duration S        seconds measured in each run (default 10)
      --peers A,B         of pillarbox, rabbitmq, rabbitmq-streams, activemq, mosquitto, nats, relay,
                          qdrouterd (where PILLARBOX_QDROUTERD names a program that starts it)
                          (default: all that are installed)
      --install           install missing peers from Debian first
      --program PATH      the pillarbox to measure (default: artifacts/linux-x64/pillarbox, else the Release build)
      --report FILE       also write the table to FILE and the figures beside it as .json
    """;

if (args is [RelayPeer.Argument, var folder])
{
    Relay.Run(folder);
}
if (args.Contains("--help"))
{
    Console.WriteLine(Help);
    int width = LoadRows.All.Max(row => row.Name.Length) + 2;
    foreach (ILoadRow row in LoadRows.All)
    {
        Console.WriteLine($"      {row.Name.PadRight(width)}{(row.IsLong ? "long: " : "")}{row.Description}");
    }
    return 0;
}
if (LoadOptions.TryParse(args, out LoadOptions? options, out string error))
{
    return await LoadRun.RunAsync(options);
}
Console.Error.WriteLine(error);
return 2;
