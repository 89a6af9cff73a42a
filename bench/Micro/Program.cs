using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Pillarbox.Micro;

// log-rate [directory] [seconds]: the log on a real disk, with its own thread.
if (args is ["log-rate", ..])
{
    string own = Path.Combine(Path.GetTempPath(), $"pillarbox-log-{Environment.ProcessId}");
    LogRate.Run(args.Length > 1 ? args[1] : own, args.Length > 2 ? double.Parse(args[2]) : 2);
    return;
}

// broker-rate [directory] [seconds]: the broker in this process. backlog directory count: queue, restart, drain.
if (args is ["broker-rate" or "backlog", ..])
{
    string own = args.Length > 1
        ? args[1]
        : Path.Combine(Path.GetTempPath(), $"pillarbox-broker-{Environment.ProcessId}");
    if (args[0] == "backlog")
    {
        BrokerRate.Backlog(own, int.Parse(args[2]));
    }
    else
    {
        BrokerRate.Run(own, args.Length > 2 ? double.Parse(args[2]) : 3);
    }

    return;
}

// stream-rate [directory] [seconds]: streams in this process. partitions directory count: what many of them cost.
if (args is ["stream-rate" or "partitions", ..])
{
    string own = args.Length > 1
        ? args[1]
        : Path.Combine(Path.GetTempPath(), $"pillarbox-streams-{Environment.ProcessId}");
    if (args[0] == "partitions")
    {
        StreamRate.Many(own, args.Length > 2 ? int.Parse(args[2]) : 5000);
    }
    else
    {
        StreamRate.Run(own, args.Length > 2 ? double.Parse(args[2]) : 3);
    }

    return;
}

// shard-spike [seconds]: inbox of a shard against a lock per queue.
if (args is ["shard-spike", ..])
{
    ShardSpike.Run(args.Length > 1 ? double.Parse(args[1]) : 1);
    return;
}

// fetch-spike [seconds]: file to socket by memory, and by the system itself.
if (args is ["fetch-spike", ..])
{
    FileToSocketSpike.Run(args.Length > 1 ? double.Parse(args[1]) : 2);
    return;
}

// ./do.cs bench micro --filter '*Amqp*'        a few seconds each, in this process: no project is generated and built
Job job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
IConfig config = DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Path.Combine("artifacts", "micro"));
BenchmarkSwitcher.FromAssembly(typeof(AmqpTransferBenchmark).Assembly).Run(args, config);
