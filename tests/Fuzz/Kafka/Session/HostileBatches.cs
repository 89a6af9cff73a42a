using System.Buffers.Binary;
using System.Text;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Model.Records;

namespace Pillarbox.Fuzz.Kafka.Session;

/// <summary>Record batches that are right, nearly right, or lie: about their count, their lengths, their checksum, or
/// how large they are when they are unpacked.</summary>
internal sealed class HostileBatches(Random random)
{
    private const int LengthAt = 8;
    private const int AttributesAt = 21;
    private const int HeaderBytes = 61;
    private const int BombBytes = 4 << 20;

    private static readonly int[] NumbersAt = [LengthAt, 12, 23, 51, 53, 57];
    private static readonly int[] Numbers = [-1, 0, 1, 2, 5, 1 << 20, int.MaxValue, int.MinValue];

    // Packed once: to pack them costs far more than to refuse them.
    private static readonly byte[][] Bombs =
    [
        .. new[] { RecordCompression.Gzip, RecordCompression.Snappy, RecordCompression.Lz4, RecordCompression.Zstd }
            .Select(Bomb),
    ];

    public byte[] Make()
    {
        if (random.Next(64) == 0)
        {
            return Bombs[random.Next(Bombs.Length)];
        }

        byte[] batch = Good();
        if (random.Next(3) == 0)
        {
            return batch;
        }

        for (int times = random.Next(1, 3); times > 0; times--)
        {
            batch = Break(batch);
        }

        return random.Next(5) == 0 ? batch : WithCrc(batch);
    }

    private byte[] Good()
    {
        var builder = new RecordBatchBuilder();
        bool isIdempotent = random.Next(3) == 0;
        builder.Begin(new RecordBatchOptions
        {
            ProducerId = isIdempotent ? random.Next(4) : -1,
            ProducerEpoch = isIdempotent ? (short)random.Next(2) : (short)-1,
            BaseSequence = isIdempotent ? random.Next(4) : -1,
            IsTransactional = isIdempotent && random.Next(4) == 0,
        });
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            builder.Add(1_700_000_000_000, Encoding.UTF8.GetBytes($"key {i}"), new byte[random.Next(100)]);
        }

        return builder.Finish().ToArray();
    }

    private byte[] Break(byte[] batch)
    {
        switch (random.Next(5))
        {
            case 0 when batch.Length >= HeaderBytes:
                BinaryPrimitives.WriteInt32BigEndian(
                    batch.AsSpan(NumbersAt[random.Next(NumbersAt.Length)]), Numbers[random.Next(Numbers.Length)]);
                return batch;
            case 1 when batch.Length >= HeaderBytes:
                batch[AttributesAt + 1] = (byte)random.Next(128);
                return batch;
            case 2 when batch.Length >= HeaderBytes:
                return [.. batch[..HeaderBytes], .. new AmqpGrammar(random).Mutate(batch[HeaderBytes..])];
            case 3:
                return [.. batch, .. batch];
            default:
                return new AmqpGrammar(random).Mutate(batch);
        }
    }

    private static byte[] WithCrc(byte[] batch)
    {
        if (batch.Length >= HeaderBytes)
        {
            RecordBatchPatch.RefreshCrc(batch);
        }

        return batch;
    }

    private static byte[] Bomb(RecordCompression codec)
    {
        var builder = new RecordBatchBuilder();
        builder.Begin(new RecordBatchOptions());
        builder.Add(0, [], [1]);
        byte[] batch = builder.Finish().ToArray();
        using var packed = new PooledBuffer();
        RecordCodec.TryCompress(codec, 1, new byte[BombBytes], packed);
        byte[] bomb = [.. batch.AsSpan(0, HeaderBytes), .. packed.WrittenSpan];
        bomb[AttributesAt + 1] = (byte)codec;
        BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(LengthAt), bomb.Length - 12);
        return WithCrc(bomb);
    }
}
