using System.Buffers;
using Pillarbox.Broker.Journal;

namespace Pillarbox.Broker.Streams;

/// <summary>What the catalog keeps of a stream on disk.</summary>
internal sealed record StreamDefinition(
    Guid Id, string Name, int Partitions, bool IsInternal, long CreatedAtMs, IReadOnlyDictionary<string, string> Config)
{
    private const byte Version = 1;

    public static StreamDefinition Of(RecordStream stream, int partitions, StreamConfig config) =>
        new(stream.Id, stream.Name, partitions, stream.IsInternal, stream.CreatedAtMs, config.Given);

    public void Write(IBufferWriter<byte> to)
    {
        FieldWriter.Byte(to, Version);
        FieldWriter.Text(to, Name);
        FieldWriter.Varint(to, (ulong)Partitions);
        FieldWriter.Byte(to, IsInternal ? (byte)1 : (byte)0);
        FieldWriter.Int64(to, CreatedAtMs);
        FieldWriter.Varint(to, (ulong)Config.Count);
        foreach ((string name, string value) in Config.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            FieldWriter.Text(to, name);
            FieldWriter.Text(to, value);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null when it is something else.</summary>
    public static StreamDefinition? Read(Guid id, ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes);
        byte version = reader.Byte();
        string name = reader.Text();
        int partitions = (int)reader.Varint();
        bool isInternal = reader.Byte() != 0;
        long createdAtMs = reader.Int64();
        var config = new Dictionary<string, string>(StringComparer.Ordinal);
        for (ulong left = reader.Varint(); left > 0 && !reader.Failed; left--)
        {
            string setting = reader.Text();
            config[setting] = reader.Text();
        }

        return reader.Failed || version != Version
            ? null
            : new StreamDefinition(id, name, partitions, isInternal, createdAtMs, config);
    }
}
