using System.Buffers;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Streams;

/// <summary>A broker on one thread, with a clock turned by hand, and words for what a test does with its
/// streams.</summary>
internal sealed class StreamScene : IDisposable
{
    private readonly RecordBatchBuilder _builder = new();

    private readonly Func<BrokerOptions, BrokerOptions> _configure;

    public StreamScene(IFileSystem? files = null, Func<BrokerOptions, BrokerOptions>? configure = null)
    {
        _configure = configure ?? (options => options);
        Files = files ?? new MemoryFileSystem();
        Broker = Open();
    }

    public HandClock Clock { get; } = new();

    public IFileSystem Files { get; private set; }

    public MessageBroker Broker { get; private set; }

    public StreamCatalog Catalog => Broker.Streams;

    public Grant GrantFor(string name) => Broker.Authorizer.Authorize(
        Identity.Node, Permission.CreateAddress, "default", new AddressName(name, null));

    public RecordStream Create(string name, int partitions = 1, params (string Name, string Value)[] config)
    {
        CatalogResult result = Catalog.Create(GrantFor(name), new StreamSpec
        {
            Name = name,
            Partitions = partitions,
            Config = config.ToDictionary(pair => pair.Name, pair => pair.Value),
        });
        Assert.Equal((StreamError.None, null), (result.Error, result.Message));
        return result.Stream!;
    }

    public Partition CreateOne(string name, params (string Name, string Value)[] config) =>
        Create(name, 1, config).Partitions[0];

    public Partition Find(string name, int partition = 0) => Catalog.Find(name)!.FindPartition(partition)!;

    /// <summary>A batch of records with these values; the keys are k0, k1...</summary>
    public ReadOnlyMemory<byte> Batch(params string[] values) => Batch(new RecordBatchOptions(), values);

    public ReadOnlyMemory<byte> Batch(in RecordBatchOptions options, params string[] values)
    {
        _builder.Begin(options);
        for (int i = 0; i < values.Length; i++)
        {
            _builder.Add(Clock.NowMs + i, Encoding.UTF8.GetBytes($"k{i}"), Encoding.UTF8.GetBytes(values[i]));
        }

        return _builder.Finish();
    }

    /// <summary>Appends, and makes it durable.</summary>
    public AppendResult Append(Partition partition, params string[] values)
    {
        AppendResult result = partition.Append(Batch(values).Span, new AppendOptions());
        Assert.Equal((StreamError.None, null), (result.Error, result.Message));
        Broker.Pump();
        return result;
    }

    /// <summary>The values from an offset on, as far as they are readable.</summary>
    public static List<string> ReadAll(
        Partition partition, long offset = 0, int bytesMax = 1 << 20, Isolation isolation = Isolation.Uncommitted)
    {
        var values = new List<string>();
        using var read = new StreamRead();
        while (true)
        {
            var options = new ReadOptions { BytesMax = bytesMax, AtLeastOneBatch = true, Isolation = isolation };
            Assert.Equal(StreamError.None, partition.Read(offset, options, read));
            if (read.Bytes == 0)
            {
                return values;
            }

            offset = AddValues(values, BytesOf(read), offset);
        }
    }

    public static byte[] BytesOf(StreamRead read)
    {
        var bytes = new ArrayBufferWriter<byte>();
        read.CopyTo(bytes);
        Assert.Equal(read.Bytes, bytes.WrittenCount);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Closes the broker in order, and starts it again on the same files.</summary>
    public void Restart()
    {
        Broker.Dispose();
        Broker = Open();
    }

    /// <summary>Starts again as if no checkpoint had been written: everything is read anew.</summary>
    public void RestartWithoutCheckpoint()
    {
        Broker.Dispose();
        foreach (string name in Files.List("data/streams/checkpoints", ""))
        {
            Files.Delete("data/streams/checkpoints/" + name);
        }

        Broker = Open();
    }

    /// <summary>Starts on what a crash left.</summary>
    public void RestartOn(IFileSystem files)
    {
        Files = files;
        Broker = Open();
    }

    public void Dispose() => Broker.Dispose();

    private static long AddValues(List<string> values, byte[] bytes, long offset)
    {
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty)
        {
            Assert.Equal(RecordBatchFault.None, RecordBatch.TryRead(rest, out RecordBatch batch));
            Assert.True(batch.IsCrcValid);
            var records = new RecordReader(batch.Records, batch.Count);
            while (!batch.IsControl && records.TryRead(out StreamRecord record))
            {
                if (batch.BaseOffset + record.OffsetDelta >= offset)
                {
                    values.Add(Encoding.UTF8.GetString(record.Value));
                }
            }

            rest = rest[batch.SizeBytes..];
            offset = batch.NextOffset;
        }

        return offset;
    }

    private MessageBroker Open() => MessageBroker.Open(_configure(new BrokerOptions
    {
        FileSystem = Files,
        DataDirectory = "data",
        Time = Clock,
        Random = new SeededRandom(1),
        OwnThreads = false,
        Shards = 1,
        SegmentBytes = 64 << 10,
    }));
}
