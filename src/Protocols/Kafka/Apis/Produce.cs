using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.MessageSets;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.ProduceResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// Produce: appends batches, in the order of the requests, and answers when they are on disk (acks 1 and -1 alike, for
/// there is no replica to wait for). With acks 0 there is no answer; what goes wrong then ends the connection.
/// </summary>
internal static class ProduceApi
{
    public static ValueTask<ProduceResponse?> HandleAsync(ApiCall call, ProduceRequest request)
    {
        var work = new ProduceWork(call, request);
        ValueTask appending = work.AppendAsync();
        if (!appending.IsCompletedSuccessfully)
        {
            // A partition had no room: the bytes are needed until it has.
            Task hold = appending.AsTask();
            call.FrameHold = hold;
            return work.FinishAsync(hold);
        }

        return work.FinishAsync(Task.CompletedTask);
    }
}

/// <summary>One Produce request at work.</summary>
internal sealed class ProduceWork(ApiCall call, ProduceRequest request)
{
    private const short MagicOfBatches = 2;
    private const int MagicAt = 16;
    private const short FirstVersionOfBatches = 3;
    private const short FirstVersionOfZstd = 7;
    private const short FirstVersionOfAbortable = 11;
    private const short FirstVersionOfTransactionsV2 = 12;

    private readonly DurableWait _durable = new();
    private RecordBatchBuilder? _builder;
    private readonly ProduceResponse _response = new()
    {
        Responses = new TopicProduceResponse[request.TopicData.Length],
    };

    /// <summary>Stage one: everything is appended, in order. Waits only when a partition is full of unwritten bytes.
    /// </summary>
    public async ValueTask AppendAsync()
    {
        for (int t = 0; t < request.TopicData.Length; t++)
        {
            ProduceRequest.TopicProduceData topic = request.TopicData[t];
            ErrorCode error = request.Acks is 0 or 1 or -1
                ? call.Session.Find(topic.Name, topic.TopicId, Permission.Send, out RecordStream? stream)
                : Refuse(ErrorCode.InvalidRequiredAcks, out stream);
            var partitions = new PartitionProduceResponse[topic.PartitionData.Length];
            _response.Responses[t] = new()
            {
                Name = topic.Name,
                TopicId = topic.TopicId,
                PartitionResponses = partitions,
            };
            for (int p = 0; p < partitions.Length; p++)
            {
                partitions[p] = await PartitionAsync(stream, error, topic.PartitionData[p]);
            }
        }

        _durable.Seal();
    }

    /// <summary>Stage two: the answer, once everything is on disk.</summary>
    public async ValueTask<ProduceResponse?> FinishAsync(Task appended)
    {
        await appended;
        if (request.Acks == 0)
        {
            call.EndsConnection = _response.Responses.Any(t => t.PartitionResponses.Any(p => p.ErrorCode != 0));
            return null;
        }

        if (!await _durable.Task)
        {
            foreach (PartitionProduceResponse partition in _response.Responses.SelectMany(t => t.PartitionResponses))
            {
                partition.ErrorCode = (short)ErrorCode.KafkaStorageError;
            }
        }

        return _response;
    }

    private async ValueTask<PartitionProduceResponse> PartitionAsync(
        RecordStream? stream, ErrorCode error, ProduceRequest.PartitionProduceData data)
    {
        Partition? partition = stream?.FindPartition(data.Index);
        if (error == ErrorCode.None)
        {
            error = partition is null ? ErrorCode.UnknownTopicOrPartition : Check(data.Records);
        }

        if (error == ErrorCode.None)
        {
            error = await EnterTransactionAsync(partition!, data.Records);
        }

        if (error != ErrorCode.None)
        {
            return new() { Index = data.Index, ErrorCode = (short)error, BaseOffset = -1 };
        }

        while (true)
        {
            AppendResult result = Append(partition!, data.Records.Memory.Span);
            if (result.Error != StreamError.Busy)
            {
                return Answer(partition!, data.Index, result);
            }

            var room = new DurableWait();
            partition!.WhenDurable(partition.EndOffset, room);
            await room.Task;
        }
    }

    // The first append of a transaction to a partition: from version 12 on it adds the partition to the transaction,
    // before the client must have done so.
    private async ValueTask<ErrorCode> EnterTransactionAsync(Partition partition, RecordBytes records)
    {
        if (RecordBatch.TryReadHeader(records.Memory.Span, out RecordBatch batch) != RecordBatchFault.None
            || !batch.IsTransactional)
        {
            return ErrorCode.None;
        }

        var producer = new ProducerStamp(batch.ProducerId, batch.ProducerEpoch);
        if (request.TransactionalId is not { } id || !call.Session.MayTransact(id))
        {
            return ErrorCode.TransactionalIdAuthorizationFailed;
        }

        if (partition.HasOpenTransaction(producer.Id, producer.Epoch))
        {
            return ErrorCode.None;
        }

        TopicPartition[] entering = [new(partition.Stream.Name, partition.Number)];
        bool isVersion2 = call.Version >= FirstVersionOfTransactionsV2;
        var who = new TransactionRef(id, producer, isVersion2 ? (short)2 : (short)1);
        PartitionsResult entered = await call.Session.AskAsync<PartitionsResult>((all, done) =>
        {
            if (isVersion2)
            {
                all.Transactions.AddPartitions(who, entering, done);
            }
            else
            {
                all.Transactions.VerifyPartitions(who, entering, done);
            }
        });
        CoordinatorError error = entered.Error == CoordinatorError.None && entered.Partitions.Count > 0
            ? entered.Partitions[0]
            : entered.Error;
        return error == CoordinatorError.TransactionAbortable && call.Version < FirstVersionOfAbortable
            ? ErrorCode.InvalidTxnState
            : (ErrorCode)error.Code();
    }

    private AppendResult Append(Partition partition, ReadOnlySpan<byte> records)
    {
        if (records[MagicAt] < MagicOfBatches)
        {
            int bytesMax = call.Session.Environment.Options.ProduceBytesMax;
            ErrorCode error = MessageSetReader.Convert(
                records, call.Session.Environment.UnixMs, bytesMax, _builder ??= new RecordBatchBuilder());
            if (error != ErrorCode.None)
            {
                return Broken(error);
            }

            records = _builder.Finish().Span;
        }

        var options = new AppendOptions { IsTransactionV2 = call.Version >= FirstVersionOfTransactionsV2 };
        return partition.Append(records, options);
    }

    private static AppendResult Broken(ErrorCode error) => new()
    {
        Error = error switch
        {
            ErrorCode.MessageTooLarge => StreamError.BatchTooLarge,
            ErrorCode.UnsupportedCompressionType => StreamError.UnsupportedCompression,
            ErrorCode.InvalidRecord => StreamError.InvalidRecord,
            _ => StreamError.CorruptBatch,
        },
        Message = "a message set of an old format cannot be read",
    };

    private ErrorCode Check(RecordBytes records)
    {
        ReadOnlySpan<byte> bytes = records.Memory.Span;
        if (bytes.Length <= MagicAt)
        {
            return ErrorCode.InvalidRecord;
        }

        if (call.Version >= FirstVersionOfBatches && bytes[MagicAt] != MagicOfBatches)
        {
            return ErrorCode.InvalidRecord;
        }

        bool isZstd = RecordBatch.TryReadHeader(bytes, out RecordBatch batch) == RecordBatchFault.None
            && batch.Compression == RecordCompression.Zstd;
        return isZstd && call.Version < FirstVersionOfZstd
            ? ErrorCode.UnsupportedCompressionType
            : ErrorCode.None;
    }

    private PartitionProduceResponse Answer(Partition partition, int index, in AppendResult result)
    {
        if (result.Error != StreamError.None)
        {
            return new()
            {
                Index = index,
                ErrorCode = (short)ErrorCodes.Of(result.Error),
                BaseOffset = -1,
                LogStartOffset = result.StartOffset,
                ErrorMessage = result.Message,
                RecordErrors = RecordErrors(result),
            };
        }

        if (request.Acks != 0)
        {
            _durable.Expect();
            partition.WhenDurable(result.DurableAt, _durable);
        }

        return new()
        {
            Index = index,
            BaseOffset = result.BaseOffset,
            LogAppendTimeMs = result.AppendTimeMs,
            LogStartOffset = result.StartOffset,
        };
    }

    private static BatchIndexAndErrorMessage[] RecordErrors(in AppendResult result) =>
        result.RecordErrors is null ? [] :
        [
            .. result.RecordErrors.Select(e => new BatchIndexAndErrorMessage
            {
                BatchIndex = e.Index,
                BatchIndexErrorMessage = e.Message,
            }),
        ];

    private static ErrorCode Refuse(ErrorCode error, out RecordStream? stream)
    {
        stream = null;
        return error;
    }
}
