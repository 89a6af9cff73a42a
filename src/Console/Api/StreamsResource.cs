using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Streams;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/streams</c>: list, show, make, change, delete; where a moment is; a look at records.</summary>
internal static class StreamsResource
{
    private const string One = "/api/v1/streams/{stream}";
    private const int RecordsDefault = 100;
    private const int RecordsMax = 1000;
    private const int PositionsMax = 1000;
    private const int ValueBytesDefault = 4096;
    private const int ValueBytesMax = 1 << 20;
    private const int WaitMsMax = 20_000;

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/streams", "Streams by name.", ListAsync)
        {
            Answer = ApiJson.Default.PageStreamResource,
            Query = [.. Paging.Parameters, new("internal", "boolean", "The node's own streams too.")],
        },
        new("GET", One, "One stream with its partitions.", ShowAsync) { Answer = ApiJson.Default.StreamResource },
        new("PUT", One, "Makes a stream; one with the same partitions and settings may exist.", CreateAsync)
        {
            Body = ApiJson.Default.StreamCreation,
            Status = 204,
        },
        new("PATCH", One, "Changes settings, adds partitions.", AlterAsync)
        {
            Body = ApiJson.Default.StreamChange,
            Status = 204,
        },
        new("DELETE", One, "Deletes a stream with its records.", DeleteAsync) { Status = 204 },
        new("GET", One + "/offsets", "Where a moment is in each partition.", SeekAsync)
        {
            Answer = ApiJson.Default.IReadOnlyListStreamOffset,
            Query = [new("at", "string", "first (default), last, youngest, or a time like 2026-01-31T12:00:00Z.")],
        },
        new("POST", One + "/read", "Looks at records without a group; changes nothing.", ReadAsync)
        {
            Body = ApiJson.Default.StreamReading,
            Answer = ApiJson.Default.StreamRecords,
        },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        bool all = request.Flag("internal");
        IEnumerable<StreamView> streams = request.Services.Broker.StreamManagement.List(request.Who, request.Space)
            .Where(stream => all || !stream.IsInternal);
        Page<StreamResource> page = Paging.Cut(request, streams, s => s.Name, s => Show(s, false));
        await request.AnswerAsync(page, ApiJson.Default.PageStreamResource);
    }

    private static async Task ShowAsync(ApiRequest request)
    {
        StreamView stream = request.Services.Broker.StreamManagement.Show(
            request.Who, request.Space, request.Segment("stream"));
        await request.AnswerAsync(Show(stream, true), ApiJson.Default.StreamResource);
    }

    private static async Task CreateAsync(ApiRequest request)
    {
        string name = request.Segment("stream");
        StreamCreation wanted = await request.BodyAsync(ApiJson.Default.StreamCreation);
        if (wanted.Partitions is < 1 or > StreamCatalog.PartitionsMax)
        {
            throw ApiRequest.Invalid(
                $"partitions must be 1 to {StreamCatalog.PartitionsMax}, not {wanted.Partitions}");
        }

        await request.Services.Broker.StreamManagement.CreateAsync(request.Who, request.Space, new StreamSpec
        {
            Name = name,
            Partitions = wanted.Partitions ?? -1,
            Config = wanted.Config ?? new Dictionary<string, string>(),
        });
        await request.AnswerAsync();
    }

    private static async Task AlterAsync(ApiRequest request)
    {
        string name = request.Segment("stream");
        StreamChange change = await request.BodyAsync(ApiJson.Default.StreamChange);
        await request.Services.Broker.StreamManagement.AlterAsync(
            request.Who, request.Space, name, change.Set ?? new Dictionary<string, string>(), change.Reset ?? [],
            change.Partitions);
        await request.AnswerAsync();
    }

    private static async Task DeleteAsync(ApiRequest request)
    {
        await request.Services.Broker.StreamManagement.DeleteAsync(
            request.Who, request.Space, request.Segment("stream"));
        await request.AnswerAsync();
    }

    private static async Task SeekAsync(ApiRequest request)
    {
        long at = MomentOf(request.Text("at") ?? "first");
        StreamOffset[] offsets =
        [
            .. request.Services.Broker.StreamManagement
                .Seek(request.Who, request.Space, request.Segment("stream"), at)
                .Select(found => new StreamOffset(
                    found.Partition, found.Offset < 0 ? null : found.Offset,
                    found.TimestampMs < 0 ? null : Moments.Of(found.TimestampMs))),
        ];
        await request.AnswerAsync(offsets, ApiJson.Default.IReadOnlyListStreamOffset);
    }

    private static long MomentOf(string at) => at switch
    {
        "first" => OffsetSpecial.Earliest,
        "last" => OffsetSpecial.Latest,
        "youngest" => OffsetSpecial.LargestTimestamp,
        _ => DateTimeOffset.TryParse(
            at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            && time.ToUnixTimeMilliseconds() is >= 0 and long ms
                ? ms
                : throw ApiRequest.Invalid(
                    $"at must be first, last, youngest or a time like 2026-01-31T12:00:00Z, not '{at}'"),
    };

    private static async Task ReadAsync(ApiRequest request)
    {
        string name = request.Segment("stream");
        StreamReading wanted = await request.BodyAsync(ApiJson.Default.StreamReading);
        if (wanted.Positions is not { Count: > 0 and <= PositionsMax } positions)
        {
            throw ApiRequest.Invalid($"positions must name 1 to {PositionsMax} partitions with offsets");
        }

        var options = new RecordInspectionOptions
        {
            Positions = [.. positions.Select(p => new ReadPosition(p.Partition, p.Offset))],
            RecordsMax = Within(wanted.Max, "max", RecordsDefault, 1, RecordsMax),
            ValueBytesMax = Within(wanted.ValueBytesMax, "valueBytesMax", ValueBytesDefault, 0, ValueBytesMax),
            WaitMs = Within(wanted.WaitMs, "waitMs", 0, 0, WaitMsMax),
        };
        RecordsView found = await request.Services.Broker.StreamManagement.ReadAsync(
            request.Who, request.Space, name, options, request.Context.RequestAborted);
        var answer = new StreamRecords(
            [.. found.Records.Select(Show)],
            [.. found.Positions.Select(p => new StreamPosition(p.Partition, p.Offset))]);
        await request.AnswerAsync(answer, ApiJson.Default.StreamRecords);
    }

    private static int Within(int? value, string name, int otherwise, int least, int most) =>
        value is null ? otherwise
        : value >= least && value <= most ? value.Value
        : throw ApiRequest.Invalid($"{name} must be {least} to {most}, not {value}");

    private static StreamResource Show(StreamView stream, bool withPartitions) => new()
    {
        Name = stream.Name,
        Id = stream.Id,
        Internal = stream.IsInternal,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(stream.CreatedAtMs),
        PartitionCount = stream.Partitions.Count,
        Records = stream.Records,
        SizeBytes = stream.SizeBytes,
        AppendedRecordsTotal = stream.AppendedRecordsTotal,
        AppendedBytesTotal = stream.AppendedBytesTotal,
        ReadBytesTotal = stream.ReadBytesTotal,
        Config = stream.Config,
        Partitions = !withPartitions ? null : [.. stream.Partitions.Select(p => new PartitionResource
        {
            Partition = p.Number,
            StartOffset = p.StartOffset,
            EndOffset = p.HighWatermark,
            LastStableOffset = p.LastStableOffset,
            LeaderEpoch = p.LeaderEpoch,
            SizeBytes = p.SizeBytes,
        })],
    };

    private static StreamRecordResource Show(RecordView record)
    {
        bool isText = record.Value is not null && IsText(record.Value, record.Value.Length < record.ValueBytes);
        return new StreamRecordResource
        {
            Partition = record.Partition,
            Offset = record.Offset,
            Timestamp = Moments.Of(record.TimestampMs),
            Key = record.Key is { } key && IsText(key, false) ? Encoding.UTF8.GetString(key) : null,
            KeyBase64 = record.Key is { } bytes && !IsText(bytes, false) ? bytes : null,
            Value = isText ? Encoding.UTF8.GetString(record.Value!).TrimEnd('\uFFFD') : null,
            ValueBase64 = isText ? null : record.Value,
            ValueBytes = record.ValueBytes,
            Headers = [.. record.Headers.Select(h => new RecordHeaderResource(h.Key, HeaderText(h.Value)))],
        };
    }

    private static string? HeaderText(byte[]? value) =>
        value is null ? null : Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : Convert.ToBase64String(value);

    // A text that was cut may end within a character.
    private static bool IsText(byte[] bytes, bool isCut)
    {
        int whole = isCut ? Math.Max(0, bytes.Length - 3) : bytes.Length;
        while (isCut && whole < bytes.Length && (bytes[whole] & 0xC0) == 0x80)
        {
            whole++;
        }

        return Utf8.IsValid(bytes.AsSpan(0, whole));
    }
}
