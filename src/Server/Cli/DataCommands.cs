using System.CommandLine;
using Pillarbox.Broker.Journal;
using Pillarbox.Broker.Streams;
using Pillarbox.Storage;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox data …</c>: looks at the data directory of a stopped node. Changes nothing, but for what is
/// dropped from quarantine.</summary>
internal static class DataCommands
{
    private const string DefaultDirectory = "./data";

    public static Command Create() => new("data", "A stopped node's files: verify, stat, dump, quarantine.")
    {
        Verify(), Stat(), Dump(), QuarantineCommands.CreateForFiles(DirectoryArgument()),
    };

    private static Argument<string> DirectoryArgument() => new("directory")
    {
        Description = $"The data directory (default {DefaultDirectory}).",
        DefaultValueFactory = _ => DefaultDirectory,
    };

    private static Command Verify()
    {
        Argument<string> directory = DirectoryArgument();
        Option<OutputFormat> output = Output.Option();
        const string About = "Read and check every byte; exit code 1 when there is damage.";
        var command = new Command("verify", About) { directory, output };
        command.SetAction(parsed =>
        {
            DataFigures figures = Verified(DataFolder.Existing(parsed.GetValue(directory)!));
            Print(figures, parsed.GetValue(output));
            return figures.Problems.Any(problem => problem.IsDamage) ? ExitCode.Failed : ExitCode.Good;
        });
        return command;
    }

    private static Command Stat()
    {
        Argument<string> directory = DirectoryArgument();
        Option<OutputFormat> output = Output.Option();
        var command = new Command("stat", "Print sizes and counts.") { directory, output };
        command.SetAction(parsed =>
        {
            string path = DataFolder.Existing(parsed.GetValue(directory)!);
            DataFigures journal = DataInspector.Stat(DiskFileSystem.Instance, path);
            DataFigures figures = StreamInspector.Verify(DiskFileSystem.Instance, path, journal);
            Print(figures, parsed.GetValue(output));
            return ExitCode.Good;
        });
        return command;
    }

    private static Command Dump()
    {
        Argument<string> directory = DirectoryArgument();
        Option<long> from = new("--from") { Description = "The journal position, or stream offset, to begin at." };
        Option<string?> stream = new("--stream") { Description = "Print this stream's batches instead." };
        Option<int> partition = new("--partition") { Description = "The stream's partition (default 0)." };
        Option<OutputFormat> output = Output.Option();
        const string About = "Print the journal's records, or a stream's batches, one a line.";
        var command = new Command("dump", About) { directory, from, stream, partition, output };
        command.SetAction(parsed =>
        {
            OutputFormat format = parsed.GetValue(output);
            string path = DataFolder.Existing(parsed.GetValue(directory)!);
            IReadOnlyList<DataProblem> problems = parsed.GetValue(stream) is { } name
                ? StreamInspector.Dump(
                    DiskFileSystem.Instance, path,
                    new StreamPlace(name, parsed.GetValue(partition), parsed.GetValue(from)),
                    batch => Print(batch, format))
                : DataInspector.Dump(
                    DiskFileSystem.Instance, path, parsed.GetValue(from), new RecordPrinter(format));
            foreach (DataProblem problem in problems)
            {
                Console.Error.WriteLine(Describe(problem));
            }

            return problems.Any(problem => problem.IsDamage) ? ExitCode.Failed : ExitCode.Good;
        });
        return command;
    }

    private static DataFigures Verified(string path) => StreamInspector.Verify(
        DiskFileSystem.Instance, path, DataInspector.Verify(DiskFileSystem.Instance, path));

    private static void Print(BatchText batch, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            Output.JsonLine(batch, DataJson.Default.BatchText);
            return;
        }

        Console.WriteLine(
            $"{batch.FirstOffset,12} {batch.LastOffset,12} {batch.Records,7} {batch.Bytes,9} {batch.Kind,-12} "
                + $"{batch.File} at {batch.Position}");
    }

    private static void Print(DataFigures figures, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            Output.Json(figures, DataJson.Default.DataFigures);
            return;
        }

        Output.Fields(
        [
            ("segments", $"{figures.Segments.Count}"), ("records", $"{figures.Records}"),
            ("journal bytes", $"{figures.Segments.Sum(segment => segment.FileBytes)}"),
            ("record bytes", $"{figures.Segments.Sum(segment => segment.PayloadBytes)}"),
            ("streams", $"{figures.Partitions.Select(partition => partition.Folder).Distinct().Count()}"),
            ("partitions", $"{figures.Partitions.Count}"),
            ("stream segments", $"{figures.Partitions.Sum(partition => partition.Segments)}"),
            ("stream records", $"{figures.Partitions.Sum(partition => partition.Records)}"),
            ("stream bytes", $"{figures.Partitions.Sum(partition => partition.Bytes)}"),
            ("checkpoints", $"{figures.Checkpoints.Count}"),
            ("snapshots", $"{figures.Snapshots.Count}"), ("large bodies", $"{figures.Blobs}"),
            ("large bytes", $"{figures.BlobBytes}"), ("spare files", $"{figures.SpareFiles}"),
            ("damage", $"{figures.Problems.Count(problem => problem.IsDamage)}"),
        ]);
        foreach (DataProblem problem in figures.Problems)
        {
            Console.WriteLine(Describe(problem));
        }
    }

    private static string Describe(DataProblem problem) =>
        $"{(problem.IsDamage ? "damage" : "unfinished")}: {problem.File} at {problem.Position}, "
            + $"{problem.Length} bytes: {problem.Problem}";

    private sealed class RecordPrinter(OutputFormat format) : IRecordVisitor
    {
        public void Visit(in LogRecord record)
        {
            RecordText text = RecordDescriber.Describe(record);
            if (format == OutputFormat.Json)
            {
                Output.JsonLine(text, DataJson.Default.RecordText);
                return;
            }

            Console.WriteLine($"{text.Position,12} {text.Bytes,9} {text.Kind,-15} {Output.Printable(text.Text)}");
        }
    }
}
