using Pillarbox.Fuzz.Amqp;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Protocols.OpenWire;
using Pillarbox.Protocols.OpenWire.Tests.Wire;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Fuzz.OpenWire;

/// <summary>
/// The OpenWire engine with a real broker behind it: a conversation from the peer's side, some of its commands mutated,
/// dropped, doubled, or random ones between them, cut anywhere. Nothing may escape, no fault of the node's own may be
/// reported, and no connection hangs.
/// </summary>
internal sealed class OpenWireSessionTarget : IFuzzTarget, IDisposable
{
    private const int ConversationsPerScene = 40;
    private OpenWireScene? _scene;
    private int _conversations;

    public byte[] Make(Random random)
    {
        RenewScene();
        var format = new WireFormat(random.Next(1, 13), random.Next(2) == 0, random.Next(2) == 0);
        List<byte[]> commands = Conversation(random, format);
        for (int times = random.Next(4); times > 0; times--)
        {
            Disturb(random, format, commands);
        }

        byte[] bytes = [.. commands.SelectMany(command => command)];
        return random.Next(16) == 0 ? new AmqpGrammar(random).Mutate(bytes) : bytes;
    }

    public void Take(byte[] input)
    {
        OpenWirePeer peer = _scene!.Connect();
        // What the node answers is its own matter here: only that it lives on counts.
        int cut = input.Length == 0 ? 0 : input[^1] * input.Length / 256;
        peer.SendBlindly(input.AsSpan(0, cut));
        peer.SendBlindly(input.AsSpan(cut));
        peer.CutBlindly();
        if (_scene.Faults.Errors.Count > 0)
        {
            throw new InvalidOperationException(_scene.Faults.Errors[0]);
        }

        if (!peer.IsEnded || _scene.Handler.ConnectionCount > 0)
        {
            throw new InvalidOperationException("the connection hangs");
        }
    }

    public void Dispose() => _scene?.Dispose();

    private static List<byte[]> Conversation(Random random, WireFormat format)
    {
        var writer = new CommandBytes(format);
        Destination queue = random.Next(3) == 0 ? Destination.Topic("t." + random.Next(3)) : Destination.Queue("q");
        var xid = new XaTransactionId { FormatId = 1, GlobalTransactionId = new byte[] { (byte)random.Next(256) } };
        ITransactionId transaction = random.Next(2) == 0
            ? new LocalTransactionId { Value = random.Next(3), Connection = OpenWireSteps.ConnectionId }
            : xid with { BranchQualifier = new byte[] { 1 } };
        var commands = new List<byte[]>
        {
            writer.Greeting(),
            writer.Of(OpenWireSteps.Login()),
            writer.Of(OpenWireSteps.Session()),
            writer.Of(OpenWireSteps.Producer()),
            writer.Of(OpenWireSteps.Consumer(queue, random.Next(4) * 5)),
            writer.Of(OpenWireSteps.Transaction(transaction, TransactionStep.Begin)),
        };
        for (int i = random.Next(6); i > 0; i--)
        {
            Message message = OpenWireSteps.Text(queue, i);
            message.TransactionId = random.Next(2) == 0 ? transaction : null;
            commands.Add(writer.Of(message));
        }

        commands.Add(writer.Of(OpenWireSteps.Transaction(transaction, TransactionStep.End)));
        commands.Add(writer.Of(OpenWireSteps.Transaction(transaction, (TransactionStep)random.Next(8))));
        commands.Add(writer.Of(OpenWireSteps.Transaction(transaction, (TransactionStep)random.Next(8))));
        commands.Add(writer.Of(new RemoveInfo { ObjectId = OpenWireSteps.ConsumerId, LastDeliveredSequence = 2 }));
        return commands;
    }

    private static void Disturb(Random random, WireFormat format, List<byte[]> commands)
    {
        int at = random.Next(commands.Count);
        switch (random.Next(5))
        {
            case 0:
                commands.RemoveAt(at);
                commands.Add([]);
                break;
            case 1:
                commands.Insert(random.Next(commands.Count), commands[at]);
                break;
            case 2:
                DataType type = DataTypesUnderTest.All[random.Next(DataTypesUnderTest.All.Count)];
                // Without the cache's numbers, which nobody would have filled.
                IDataStructure structure = SampleFields.Make(type, random, format.Version);
                commands.Insert(at, new CommandBytes(format with { CacheSlots = 0 }).Of(structure));
                break;
            default:
                byte[] body = commands[at].Length <= 4
                    ? []
                    : new AmqpGrammar(random).Mutate(commands[at][4..]);
                byte[] size = new byte[4];
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(size, body.Length);
                commands[at] = body.Length == 0 ? [] : [.. size, .. body];
                break;
        }
    }

    private void RenewScene()
    {
        if (_scene is not null && ++_conversations <= ConversationsPerScene)
        {
            return;
        }

        _scene?.Dispose();
        _scene = new OpenWireScene(
            new OpenWireOptions { FrameBytesMax = 1 << 16 }, broker => broker with { SegmentBytes = 1 << 16 });
        _conversations = 0;
    }
}
