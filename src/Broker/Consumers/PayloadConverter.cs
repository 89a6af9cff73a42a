using System.Buffers;
using System.Text;
using Pillarbox.Broker.Streams.Records;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>A message that cannot be had in the format its consumer wants: it is to be rejected there, with this
/// message as the reason. The stored message is whole.</summary>
public sealed class ConversionException(string message) : Exception(message);

/// <summary>Turns payloads into the format that a consumer wants, by the neutral form. Any thread.</summary>
internal sealed class PayloadConverter(BrokerOptions options)
{
    private readonly IContentMap?[] _maps = Index([new RecordContentMap(), .. options.ContentMaps]);

    /// <summary>Whether a payload of one format has to be converted for a consumer that wants the other.</summary>
    public bool IsNeeded(PayloadFormat from, PayloadFormat wanted) =>
        wanted != PayloadFormat.None && from != wanted && MapOf(wanted) is not null;

    /// <summary>The same message in the wanted format; takes over the lease.</summary>
    public MessageLease Convert(in MessageLease lease, PayloadFormat wanted)
    {
        MessageLease taken = lease;
        try
        {
            return Convert(taken, taken.Payload, wanted);
        }
        finally
        {
            taken.Dispose();
        }
    }

    /// <summary>
    /// The same of a message whose body is in a file. Throws <see cref="ConversionException"/> when it is larger than
    /// the node converts, and <see cref="DamagedRecordException"/>.
    /// </summary>
    public async ValueTask<MessageLease> ConvertLargeAsync(
        MessageLease lease, PayloadFormat wanted, long position, CancellationToken cancellation)
    {
        using LargeBody large = lease.Large!;
        using MessageLease taken = lease;
        if (large.Length > options.ConvertedBytesMax)
        {
            throw new ConversionException(
                $"the message has {large.Length} bytes; at most {options.ConvertedBytesMax} are converted from "
                + $"{taken.Header.Format} to {wanted}");
        }

        byte[] bytes = new byte[large.Length];
        int read = 0;
        while (read < bytes.Length)
        {
            int piece = await large.ReadAsync(read, bytes.AsMemory(read), cancellation).ConfigureAwait(false);
            if (piece == 0)
            {
                throw new DamagedRecordException(position, "the body's file is shorter than the message");
            }

            read += piece;
        }

        return Convert(taken, bytes, wanted);
    }

    /// <summary>Writes a message as a record of a stream, which says whose it is unless that is 0.</summary>
    public void WriteRecord(
        in MessageHeader header, string address, ReadOnlyMemory<byte> payload, ulong publisher,
        IBufferWriter<byte> output)
    {
        MessageContent content = Read(header, address, payload);
        content.Publisher = publisher;
        MapOf(PayloadFormat.KafkaRecord)!.Write(header, address, content, output);
    }

    private MessageContent Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload) =>
        MapOf(header.Format)?.Read(header, address, payload) ?? Raw(payload);

    private MessageLease Convert(in MessageLease lease, ReadOnlyMemory<byte> payload, PayloadFormat wanted)
    {
        MessageHeader header = lease.Header;
        byte[] address = lease.Address.ToArray();
        string name = Encoding.UTF8.GetString(address);
        MessageContent content = Read(header, name, payload);
        lease.Place?.AddTo(content);
        var output = new ArrayBufferWriter<byte>(payload.Length + 256);
        MapOf(wanted)!.Write(header, name, content, output);
        return new MessageLease(
            header with { Format = wanted }, address, output.WrittenMemory, default, null, lease.Origin)
        {
            Publisher = lease.Publisher,
        };
    }

    /// <summary>Bytes that are not what their format says are handed on as they are.</summary>
    private static MessageContent Raw(ReadOnlyMemory<byte> payload) => new()
    {
        ContentType = "application/octet-stream",
        Form = BodyForm.Binary,
        Bytes = payload,
    };

    private IContentMap? MapOf(PayloadFormat format) => (int)format < _maps.Length ? _maps[(int)format] : null;

    private static IContentMap?[] Index(IReadOnlyList<IContentMap> maps)
    {
        var index = new IContentMap?[maps.Count == 0 ? 0 : maps.Max(map => (int)map.Format) + 1];
        foreach (IContentMap map in maps)
        {
            index[(int)map.Format] = map;
        }

        return index;
    }
}
