using System.Buffers.Binary;
using Pillarbox.Fuzz.Amqp;
using Pillarbox.Fuzz.Kafka.Session;
using Pillarbox.Protocols.Kafka;

namespace Pillarbox.Fuzz.Kafka;

/// <summary>
/// The Kafka engine with a real broker behind it: requests of all APIs at all versions, some of them mutated, with
/// batches that lie. Nothing may escape, no fault of the node's own may be reported, every connection
/// ends, and what comes back is whole frames. The first byte of an input says to which listener it goes.
/// </summary>
internal sealed class KafkaSessionTarget : IFuzzTarget, IDisposable
{
    // A broker is thrown away after so many conversations: what they leave behind stays small.
    private const int ConversationsPerScene = 200;
    private const int RequestsMax = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private KafkaScene? _scene;
    private int _conversations;

    public byte[] Make(Random random)
    {
        RenewScene();
        var requests = new RequestGrammar(random, _scene!.TopicIds);
        var grammar = new AmqpGrammar(random);
        var frames = new List<byte[]>();
        for (int count = random.Next(1, RequestsMax + 1), i = 1; i <= count; i++)
        {
            byte[] frame = requests.Make(i);
            frames.Add(Frame(random.Next(3) == 0 ? grammar.Mutate(frame) : frame));
        }

        byte[] bytes = [.. frames.SelectMany(f => f)];
        byte listener = random.Next(16) == 0 ? (byte)1 : (byte)0;
        return [listener, .. random.Next(16) == 0 ? grammar.Mutate(bytes) : bytes];
    }

    public void Take(byte[] input)
    {
        RenewScene(keep: true);
        KafkaConnectionHandler handler = input is [1, ..] ? _scene!.Strict : _scene!.Handler;
        byte[] answers = KafkaScene.TalkAsync(handler, input[1..], Patience).GetAwaiter().GetResult();
        if (_scene.Faults.Errors.Count > 0)
        {
            throw new InvalidOperationException(_scene.Faults.Errors[0]);
        }

        if (handler.ConnectionCount != 0)
        {
            throw new InvalidOperationException("the connection is still there");
        }

        CheckFrames(answers);
    }

    public void Dispose() => _scene?.Dispose();

    private void RenewScene(bool keep = false)
    {
        if (_scene is not null && (keep || ++_conversations <= ConversationsPerScene))
        {
            return;
        }

        _scene?.Dispose();
        _scene = new KafkaScene();
        _conversations = 0;
    }

    // An answer that is cut by the end of the connection is the last one.
    private static void CheckFrames(ReadOnlySpan<byte> answers)
    {
        while (answers.Length >= sizeof(int))
        {
            int size = BinaryPrimitives.ReadInt32BigEndian(answers);
            if (size is < 0 or > 64 << 20)
            {
                throw new InvalidOperationException($"an answer of {size} bytes");
            }

            answers = answers[Math.Min(answers.Length, size + sizeof(int))..];
        }
    }

    private static byte[] Frame(byte[] body)
    {
        byte[] frame = new byte[body.Length + sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
        body.CopyTo(frame, sizeof(int));
        return frame;
    }
}
