using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Pillarbox.Micro;

// ./do.cs bench micro --filter '*Amqp*'        a few seconds each, in this process: no project is generated and built
Job job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
IConfig config = DefaultConfig.Instance.AddJob(job).WithArtifactsPath(Path.Combine("artifacts", "micro"));
BenchmarkSwitcher.FromAssembly(typeof(AmqpTransferBenchmark).Assembly).Run(args, config);
