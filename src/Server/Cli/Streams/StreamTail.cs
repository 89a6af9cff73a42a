using System.CommandLine;
using System.Globalization;
using System.Text;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Streams;

/// <summary><c>pillarbox stream tail</c>: prints records, the last ones or from a moment on, and goes on with those
/// that come. It reads without a group and changes nothing.</summary>
internal static class StreamTail
{
    private const int CountDefault = 10;
    private const int WaitMs = 10_000;
    private const int PageMax = 1000;
    private const int LastMax = 100_000;

    private static readonly Option<long?> Count = new("--count", "-n")
    {
        Description = $"How many records (default {CountDefault}; with --from or --follow: no limit).",
    };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Where to begin: first, an offset, a time like 2026-01-31T12:00:00Z, or how long ago: "
            + $"{Moment.DurationForms} (default: so that the last --count records are shown).",
    };

    private static readonly Option<int[]> Partitions = new("--partition", "-p")
    {
        Description = "Only this partition; repeatable.",
    };

    private static readonly Option<bool> Follow = new("--follow", "-f")
    {
        Description = "Go on with records that come, until interrupted (or --count).",
    };

    private static readonly Option<int> ValueBytes = new("--value-bytes")
    {
        Description = "Bytes of a value that are shown, 0 to 1048576.",
        DefaultValueFactory = _ => 4096,
    };

    private static readonly Option<string> Format = new("--output", "-o")
    {
        Description = "table (default), text (the values) or json (one object a line).",
        DefaultValueFactory = _ => "table",
    };

    public static Command Create()
    {
        Argument<string> name = StreamCommands.Name();
        var flags = new ApiTarget.Flags();
        var command = new Command("tail", "Print records of a stream: the last ones, or from a moment on.")
        {
            name, Count, From, Partitions, Follow, ValueBytes, Format.AcceptOnlyFromAmong("table", "text", "json"),
        };
        flags.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = new ApiClient(flags.Read(parsed));
            var tail = new Tail(api, parsed.GetValue(name)!, parsed);
            await tail.RunAsync(cancellation);
            return ExitCode.Good;
        });
        return command;
    }

    private sealed class Tail(ApiClient api, string stream, ParseResult parsed)
    {
        private readonly bool _follow = parsed.GetValue(Follow);
        private readonly bool _isLast = parsed.GetValue(From) is null && !parsed.GetValue(Follow);
        private long _left;

        public async Task RunAsync(CancellationToken cancellation)
        {
            bool isOpen = parsed.GetValue(From) is not null || _follow;
            _left = parsed.GetValue(Count) ?? (isOpen ? long.MaxValue : CountDefault);
            if (_left < 0 || (_isLast && _left > LastMax))
            {
                throw new CommandException(
                    ExitCode.Usage, $"--count must be 0 or more, and at most {LastMax} without --from or --follow");
            }

            StreamResource shown = await api.GetAsync(
                StreamCommands.One(stream), ApiJson.Default.StreamResource, cancellation);
            PartitionResource[] partitions = Chosen(shown);
            IReadOnlyList<StreamPosition> positions = _isLast ? [] : await BeginAsync(partitions, cancellation);
            PrintHead();
            try
            {
                await (_isLast
                    ? PrintLastAsync(partitions, cancellation)
                    : PrintAsync(positions, EndsOf(partitions), cancellation));
            }
            catch (OperationCanceledException) when (_follow && cancellation.IsCancellationRequested)
            {
                // That is how one stops following.
            }
        }

        private PartitionResource[] Chosen(StreamResource shown)
        {
            int[] wanted = parsed.GetValue(Partitions) ?? [];
            foreach (int partition in wanted)
            {
                if (partition < 0 || partition >= shown.PartitionCount)
                {
                    throw new CommandException(
                        ExitCode.NotFound,
                        $"stream '{stream}' has no partition {partition}: it has 0 to {shown.PartitionCount - 1}");
                }
            }

            PartitionResource[] chosen =
                [.. shown.Partitions!.Where(p => wanted.Length == 0 || wanted.Contains(p.Partition))];
            return chosen.Length <= PageMax
                ? chosen
                : throw new CommandException(
                    ExitCode.Usage, $"stream '{stream}' has {chosen.Length} partitions: choose some with --partition");
        }

        private async Task<IReadOnlyList<StreamPosition>> BeginAsync(
            PartitionResource[] partitions, CancellationToken cancellation)
        {
            string? from = parsed.GetValue(From);
            if (from is null)
            {
                long back = parsed.GetValue(Count) ?? CountDefault;
                return [.. partitions.Select(p => new StreamPosition(
                    p.Partition, Math.Max(p.StartOffset, p.EndOffset - back)))];
            }

            if (from == "first")
            {
                return [.. partitions.Select(p => new StreamPosition(p.Partition, p.StartOffset))];
            }

            if (long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
            {
                return [.. partitions.Select(p => new StreamPosition(p.Partition, Math.Max(p.StartOffset, offset)))];
            }

            DateTime time = Moment.ParseTime(from, TimeProvider.System).UtcDateTime;
            string at = time.ToString("O", CultureInfo.InvariantCulture);
            string path = $"{StreamCommands.One(stream)}/offsets?at={ApiClient.Part(at)}";
            var found = await api.GetAsync(path, ApiJson.Default.IReadOnlyListStreamOffset, cancellation);
            return [.. partitions.Select(p => new StreamPosition(
                p.Partition, found.First(o => o.Partition == p.Partition).Offset ?? p.EndOffset))];
        }

        private async Task PrintAsync(
            IReadOnlyList<StreamPosition> positions, long[] ends, CancellationToken cancellation)
        {
            bool isEmpty = false;
            while (_left > 0 && (_follow || !IsAtEnd(positions, ends)))
            {
                bool waits = isEmpty || IsAtEnd(positions, ends);
                StreamRecords read = await ReadAsync(positions, waits ? WaitMs : 0, cancellation);
                isEmpty = read.Records.Count == 0;
                if (isEmpty && !_follow)
                {
                    // What is left belongs to transactions that are still open.
                    break;
                }

                positions = read.Positions;
                Print(Merge(read.Records));
            }
        }

        // Not every offset has a record: some have markers of transactions, of some compaction has taken them. Where
        // too few are found it looks further back.
        private async Task PrintLastAsync(PartitionResource[] partitions, CancellationToken cancellation)
        {
            Dictionary<int, StreamRecordResource[]> last = [];
            for (long back = _left; partitions.Length > 0 && _left > 0; back *= 4)
            {
                StreamPosition[] positions =
                [
                    .. partitions.Select(p => new StreamPosition(
                        p.Partition, Math.Max(p.StartOffset, p.EndOffset - back))),
                ];
                var found = (await ReadAllAsync(positions, EndsOf(partitions), cancellation))
                    .ToLookup(record => record.Partition);
                foreach (PartitionResource partition in partitions)
                {
                    last[partition.Partition] = [.. found[partition.Partition].TakeLast((int)_left)];
                }

                partitions =
                [
                    .. partitions.Where(p => last[p.Partition].Length < _left && p.EndOffset - back > p.StartOffset),
                ];
            }

            // Of several partitions the last records are those with the latest times.
            Print(Merge(last.Values.SelectMany(records => records)).TakeLast((int)_left));
        }

        private async Task<List<StreamRecordResource>> ReadAllAsync(
            IReadOnlyList<StreamPosition> positions, long[] ends, CancellationToken cancellation)
        {
            var all = new List<StreamRecordResource>();
            while (!IsAtEnd(positions, ends))
            {
                StreamRecords read = await ReadAsync(positions, 0, cancellation);
                if (read.Records.Count == 0)
                {
                    break;
                }

                positions = read.Positions;
                all.AddRange(read.Records);
            }

            return all;
        }

        private static long[] EndsOf(PartitionResource[] partitions) => [.. partitions.Select(p => p.EndOffset)];

        private static bool IsAtEnd(IReadOnlyList<StreamPosition> positions, long[] ends) =>
            positions.Select((position, i) => position.Offset >= ends[i]).All(isThere => isThere);

        // Those of several partitions by time, those of one in the order of their offsets, whatever times they have.
        private static IEnumerable<StreamRecordResource> Merge(IEnumerable<StreamRecordResource> records)
        {
            Dictionary<int, DateTimeOffset> latest = [];
            var timed = new List<(DateTimeOffset Time, StreamRecordResource Record)>();
            foreach (StreamRecordResource record in records)
            {
                DateTimeOffset before = latest.GetValueOrDefault(record.Partition, DateTimeOffset.MinValue);
                DateTimeOffset time = record.Timestamp > before ? record.Timestamp : before;
                latest[record.Partition] = time;
                timed.Add((time, record));
            }

            return timed.OrderBy(one => one.Time).Select(one => one.Record);
        }

        private void Print(IEnumerable<StreamRecordResource> records)
        {
            foreach (StreamRecordResource record in records.TakeWhile(_ => _left > 0))
            {
                Print(record);
                _left--;
            }
        }

        private Task<StreamRecords> ReadAsync(
            IReadOnlyList<StreamPosition> positions, int waitMs, CancellationToken cancellation)
        {
            var reading = new StreamReading
            {
                Positions = positions,
                Max = PageMax,
                ValueBytesMax = parsed.GetValue(ValueBytes),
                WaitMs = waitMs,
            };
            return api.PostAsync(
                $"{StreamCommands.One(stream)}/read", reading, ApiJson.Default.StreamReading,
                ApiJson.Default.StreamRecords, cancellation);
        }

        private void PrintHead()
        {
            if (parsed.GetValue(Format) == "table")
            {
                Console.WriteLine($"{"PARTITION",-9}  {"OFFSET",12}  {"TIME",-24}  {"KEY",-16}  VALUE");
            }
        }

        private void Print(StreamRecordResource record)
        {
            switch (parsed.GetValue(Format))
            {
                case "json":
                    Output.JsonLine(record, ApiJson.Default.StreamRecordResource);
                    break;
                case "text":
                    Console.WriteLine(Output.Printable(TextOf(record.Value, record.ValueBase64)));
                    break;
                default:
                    Console.WriteLine(RowOf(record));
                    break;
            }
        }

        private static string RowOf(StreamRecordResource record)
        {
            var row = new StringBuilder();
            row.Append(CultureInfo.InvariantCulture, $"{record.Partition,-9}  {record.Offset,12}  ");
            row.Append(CultureInfo.InvariantCulture, $"{record.Timestamp:yyyy-MM-ddTHH:mm:ss.fffZ}  ");
            row.Append(CultureInfo.InvariantCulture, $"{TextOf(record.Key, record.KeyBase64),-16}  ");
            row.Append(record.ValueBytes < 0 ? "(none)" : TextOf(record.Value, record.ValueBase64));
            foreach (RecordHeaderResource header in record.Headers)
            {
                row.Append(CultureInfo.InvariantCulture, $"  {header.Name}={header.Value}");
            }

            return Output.Printable(row.ToString());
        }

        private static string TextOf(string? text, byte[]? bytes) =>
            text ?? (bytes is null ? "" : Convert.ToBase64String(bytes));
    }
}
