using System.Reflection;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Protocols.Kafka.Tests.Wire;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Fuzz.Kafka;

/// <summary>
/// The Kafka codec: requests and answers of every API at every version, mutated, are read. What was read is written and
/// read again: it must be the same. The first three bytes of an input say which message it is.
/// </summary>
internal sealed class KafkaWireTarget : IFuzzTarget
{
    private const int KindBytes = 3;
    private const int SamplesPerMessage = 6;
    private const int CorpusSeed = 1;

    private static readonly (Type Type, short Version)[] Kinds = [.. MessageTypes.Versions()];

    private readonly Func<byte[], short, byte[]?>[] _codecs;
    private readonly byte[][] _corpus;

    public KafkaWireTarget()
    {
        MethodInfo pass = typeof(KafkaWireTarget)
            .GetMethod(nameof(Pass), BindingFlags.NonPublic | BindingFlags.Static)!;
        _codecs =
        [
            .. Kinds.Select(kind => pass.MakeGenericMethod(kind.Type).CreateDelegate<Func<byte[], short, byte[]?>>()),
        ];
        var messages = new RandomMessages(CorpusSeed);
        _corpus =
        [
            .. from sample in Enumerable.Range(0, SamplesPerMessage)
               from kind in Kinds
               select MessageTypes.Write(messages.Fill(kind.Type), kind.Version),
        ];
    }

    public byte[] Make(Random random)
    {
        int at = random.Next(_corpus.Length);
        int kind = at % Kinds.Length;
        byte[] body = random.Next(16) == 0
            ? _corpus[at]
            : new AmqpGrammar(random).Mutate([.. _corpus[at]]);
        return [(byte)(kind >> 8), (byte)kind, (byte)Kinds[kind].Version, .. body];
    }

    public void Take(byte[] input)
    {
        int kind = (input[0] << 8) | input[1];
        short version = input[2];
        byte[]? once = _codecs[kind](input[KindBytes..], version);
        if (once is null)
        {
            return;
        }

        byte[]? twice = _codecs[kind](once, version);
        if (twice is null || !once.AsSpan().SequenceEqual(twice))
        {
            throw new InvalidOperationException($"{Kinds[kind]} became another message");
        }
    }

    // The message as it is written again; null when the bytes were refused.
    private static byte[]? Pass<T>(byte[] body, short version)
        where T : IKafkaMessage<T>
    {
        T message;
        try
        {
            var reader = new KafkaReader(body);
            message = T.Read(ref reader, version);
            reader.End();
        }
        catch (KafkaException)
        {
            return null;
        }

        return MessageTypes.Write(message, version);
    }
}
