using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>
/// The AMQP engine with a real broker behind it: a conversation from the peer's side, some of its frames mutated,
/// dropped, doubled or in
/// another order, and cut anywhere, while the conversation before it is still open. Nothing may escape, no fault of the
/// node's own may be reported, its answers keep to the protocol's rules, and it still serves.
/// </summary>
internal sealed class AmqpSessionTarget : IFuzzTarget, IDisposable
{
    // A broker is thrown away after so many conversations, so that what they leave behind, and the memory that stands
    // for
    // its disk, stay small against the bound of one input.
    private const int ConversationsPerScene = 40;

    // Tags of deliveries of this scene, for receivers that come back with them.
    private const int TagsMax = 16;

    private readonly List<byte[]> _tags = [];
    private AmqpScene? _scene;
    private AmqpPeer? _before;
    private int _conversations;

    /// <summary>Frames given to the node so far.</summary>
    public long Frames { get; private set; }

    public byte[] Make(Random random)
    {
        RenewScene();
        var grammar = new AmqpGrammar(random);
        var script = new ConversationGrammar(random, grammar, _tags);
        List<byte[]> frames = script.Make();
        for (int times = random.Next(4); times > 0; times--)
        {
            Disturb(random, grammar, frames);
        }
        Frames += frames.Count;
        byte[] bytes = [.. frames.SelectMany(f => f)];
        return random.Next(16) == 0 ? grammar.Mutate(bytes) : bytes;
    }

    public void Take(byte[] input)
    {
        AmqpPeer peer = _scene!.Connect();
        var rules = new AnswerRules(AnswerRules.FrameBytesMaxOf(input));
        int cut = input.Length == 0 ? 0 : input[^1] * input.Length / 256;
        peer.Send(input.AsSpan(0, cut));
        peer.Send(input.AsSpan(cut));
        foreach (ReceivedFrame frame in peer.Frames)
        {
            rules.Take(frame);
            KeepTag(frame);
        }

        // The two may be of one container: the links of the one before were stolen.
        _before?.TakeAll();
        _before?.Cut();
        Check(_before, _scene);
        _before = peer;
    }

    public void Dispose() => _scene?.Dispose();

    private void RenewScene()
    {
        if (_scene is not null && ++_conversations <= ConversationsPerScene)
        {
            return;
        }
        _before?.Cut();
        _before = null;
        _tags.Clear();
        _scene?.Dispose();
        _scene = new AmqpScene(
            new AmqpOptions { MaxFrameBytes = 1 << 16, AssembleBytesMax = 1 << 12, UnsettledMax = 64 },
            // Small segments: the blocks of a node's log are not what one input is to be blamed for.
            broker => broker with { SegmentBytes = 1 << 16 });
        _conversations = 0;
    }

    private void KeepTag(ReceivedFrame frame)
    {
        if (frame.Descriptor == Transfer.DescriptorCode && frame.AsTransfer(out _).DeliveryTag is { Length: > 4 } tag)
        {
            _tags.Add(tag.ToArray());
            if (_tags.Count > TagsMax)
            {
                _tags.RemoveAt(0);
            }
        }
    }

    private static void Check(AmqpPeer? before, AmqpScene scene)
    {
        if (scene.Faults.Errors.Count > 0)
        {
            throw new InvalidOperationException(scene.Faults.Errors[0]);
        }
        if (before is { IsEnded: false } || scene.Handler.ConnectionCount > 1)
        {
            throw new InvalidOperationException("the connection hangs");
        }
    }

    private static void Disturb(Random random, AmqpGrammar grammar, List<byte[]> frames)
    {
        int at = random.Next(frames.Count);
        switch (random.Next(5))
        {
            case 0:
                frames.RemoveAt(at);
                if (frames.Count == 0)
                {
                    frames.Add([]);
                }
                break;
            case 1:
                frames.Insert(random.Next(frames.Count), frames[at]);
                break;
            case 2:
                int other = random.Next(frames.Count);
                (frames[at], frames[other]) = (frames[other], frames[at]);
                break;
            default:
                frames[at] = MutateBody(grammar, frames[at]);
                break;
        }
    }

    // The size stays right, else nothing behind the first broken frame would be reached.
    private static byte[] MutateBody(AmqpGrammar grammar, byte[] frame)
    {
        if (frame.Length <= FrameHeader.Bytes)
        {
            return grammar.Mutate(frame);
        }
        var type = (FrameType)frame[5];
        return FrameBytes.Raw(grammar.Mutate(frame[FrameHeader.Bytes..]), frame[7], type);
    }
}
