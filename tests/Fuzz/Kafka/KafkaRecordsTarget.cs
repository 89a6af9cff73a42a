using System.Buffers;
using System.Text;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Model.Records;
using Pillarbox.Protocols.Kafka.MessageSets;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Fuzz.Kafka;

/// <summary>Message sets of old clients, mutated, with checksums that are right again most of the time.</summary>
internal sealed class KafkaRecordsTarget : IFuzzTarget
{
    private const int BytesMax = 1 << 20;

    private readonly RecordBatchBuilder _builder = new();
    private readonly ArrayBufferWriter<byte> _set = new(1 << 12);

    public byte[] Make(Random random)
    {
        _builder.Begin(new RecordBatchOptions());
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            _builder.Add(random.Next(), Encoding.UTF8.GetBytes($"key {i}"), new byte[random.Next(60)]);
        }

        _set.ResetWrittenCount();
        MessageSetWriter.Convert(_builder.Finish().Span, (byte)random.Next(2), BytesMax, _set);
        byte[] set = new AmqpGrammar(random).Mutate(_set.WrittenSpan.ToArray());
        if (random.Next(4) != 0)
        {
            RepairFirst(set);
        }

        return set;
    }

    public void Take(byte[] input)
    {
        if (MessageSetReader.Convert(input, 1, BytesMax, _builder) != ErrorCode.None)
        {
            return;
        }

        ReadOnlySpan<byte> batch = _builder.Finish().Span;
        if (RecordBatch.TryRead(batch, out RecordBatch read) != RecordBatchFault.None || !read.IsCrcValid)
        {
            throw new InvalidOperationException("a converted set is no batch");
        }
    }

    private static void RepairFirst(byte[] set)
    {
        if (set.Length > 16)
        {
            int size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(set.AsSpan(8));
            int end = size is > 4 and < 1 << 20 && size + 12 <= set.Length ? size + 12 : set.Length;
            uint crc = Crc32.Compute(set.AsSpan(16, end - 16));
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(set.AsSpan(12), crc);
        }
    }
}
