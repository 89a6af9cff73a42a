using System.Buffers;
using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Records;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Mqtt.Content;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>
/// The stream of last values that an operator may ask for: each retained message is a record there too, its key the
/// topic, so that compaction leaves the last one of each; one that is taken away is a record without a value. Written
/// with the store's own queue in one transaction. Owned by the store.
/// </summary>
internal sealed class RetainedStream
{
    private static readonly MqttContentMap Reads = new();
    private static readonly RecordContentMap Writes = new();
    private static readonly Dictionary<string, string> Compacted = new() { ["cleanup.policy"] = "compact" };

    private readonly BrokerClient _client;
    private readonly Producer _producer;
    private readonly string _name;

    private RetainedStream(BrokerClient client, string name, bool isNew)
    {
        _client = client;
        _name = name;
        IsNew = isNew;
        _producer = client.OpenProducer(new ProducerOptions { Address = name });
    }

    /// <summary>It was made just now: nothing is in it of what was retained before.</summary>
    public bool IsNew { get; }

    /// <summary>The stream that the options name, made if it is not there; null: none, or it cannot be had.</summary>
    public static RetainedStream? Open(MqttEnvironment environment, string addressSpace, BrokerClient client)
    {
        if (environment.Options.RetainedStream is not { } name
            || environment.Broker.StreamsOf(addressSpace) is not { } streams)
        {
            return null;
        }

        try
        {
            Grant grant = environment.Broker.Authorizer.Authorize(
                Identity.Node, Permission.CreateAddress, addressSpace, new AddressName(name, null));
            var spec = new StreamSpec { Name = name, Partitions = 1, Config = Compacted };
            CatalogResult made = streams.Create(grant, spec);
            if (made.Error is StreamError.None or StreamError.AlreadyExists)
            {
                return new RetainedStream(client, name, made.Error == StreamError.None);
            }

            Log.RetainedTrouble(environment.Logger, $"stream '{name}' cannot be made: {made.Message}");
        }
        catch (BrokerException refusal)
        {
            Log.RetainedTrouble(environment.Logger, $"stream '{name}' cannot be written: {refusal.Message}");
        }

        return null;
    }

    /// <summary>Writes one as a part of a transaction; or says why not.</summary>
    public BrokerException? Publish(RetainedMessage message, in MessageHeader header, Transaction transaction)
    {
        var record = new ArrayBufferWriter<byte>(message.Stored.Length + 128);
        byte[] key = Encoding.UTF8.GetBytes(message.Topic);
        if (message.IsRemoval || Reads.Read(header, _name, message.Stored) is not { } content)
        {
            RecordEncoder.Write(record, new RecordContent { HasKey = true, Key = key });
        }
        else
        {
            content.Key = key;
            Writes.Write(header, _name, content, record);
        }

        MessageHeader asRecord = header with { Format = PayloadFormat.KafkaRecord };
        return _client.Publish(
            _producer, asRecord, new ReadOnlySequence<byte>(record.WrittenMemory), 0, transaction: transaction);
    }
}
