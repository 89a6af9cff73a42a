using Pillarbox.Fuzz.Stomp.Scene;
using Pillarbox.Protocols.Stomp;

namespace Pillarbox.Fuzz.Stomp;

/// <summary>
/// The STOMP engine with a real broker behind it: a conversation from the peer's side, some of its frames mutated, cut
/// anywhere. Nothing may escape, no fault of the node's own may be reported, and the node still serves.
/// </summary>
internal sealed class StompSessionTarget : IFuzzTarget, IDisposable
{
    // A broker is thrown away after so many conversations, so that what they leave behind, and the memory that stands
    // for its disk, stay small against the bound of one input.
    private const int ConversationsPerScene = 40;

    private StompScene? _scene;
    private int _conversations;

    public byte[] Make(Random random)
    {
        RenewScene();
        var grammar = new StompGrammar(random);
        List<byte[]> frames = [grammar.Connect()];
        for (int more = random.Next(1, 12); more > 0; more--)
        {
            byte[] frame = grammar.Frame();
            frames.Add(random.Next(6) == 0 ? grammar.Mutate(frame) : frame);
        }

        byte[] bytes = [.. frames.SelectMany(f => f)];
        return random.Next(16) == 0 ? grammar.Mutate(bytes) : bytes;
    }

    public void Take(byte[] input)
    {
        RenewScene();
        StompPeer peer = _scene!.Connect();
        int cut = input.Length == 0 ? 0 : input[input.Length / 2] * input.Length / 256;
        peer.Send(input.AsSpan(0, cut));
        peer.Send(input.AsSpan(cut));
        peer.TakeAll();
        peer.Cut();
        if (_scene.Faults.Errors.Count > 0)
        {
            throw new InvalidOperationException(_scene.Faults.Errors[0]);
        }

        if (!peer.IsEnded || _scene.Handler.ConnectionCount != 0)
        {
            throw new InvalidOperationException("the connection hangs");
        }
    }

    public void Dispose() => _scene?.Dispose();

    private void RenewScene()
    {
        if (_scene is not null && ++_conversations <= ConversationsPerScene)
        {
            return;
        }

        _scene?.Dispose();
        _scene = new StompScene(
            new StompOptions { AllowAnyPassword = true, AssembleBytesMax = 1 << 12, WindowMessages = 8 },
            // Small segments: the blocks of a node's log are not what one input is to be blamed for.
            broker => broker with { SegmentBytes = 1 << 16 });
        _conversations = 0;
    }
}
