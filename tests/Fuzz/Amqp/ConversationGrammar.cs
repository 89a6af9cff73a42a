using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>
/// Conversations that mostly make sense: a handshake, sessions, links of all kinds, transfers, dispositions, ends.
/// </summary>
internal sealed class ConversationGrammar(Random random, AmqpGrammar grammar, IReadOnlyList<byte[]> tags)
{
    private const int FramesMax = 24;

    private readonly List<(ushort Channel, uint Handle)> _links = [];
    private uint _nextId;

    public List<byte[]> Make()
    {
        List<byte[]> frames = [.. Handshake()];
        int count = random.Next(FramesMax);
        frames.Add(FrameBytes.Of(Steps.Begin));
        for (int i = 0; i < count; i++)
        {
            frames.Add(Next());
        }
        return frames;
    }

    private IEnumerable<byte[]> Handshake()
    {
        if (random.Next(3) == 0)
        {
            yield return ProtocolHeader.Sasl.ToArray();
            string mechanism = random.Next(3) == 0 ? "PLAIN" : "ANONYMOUS";
            byte[] response = grammar.Bytes(random.Next(9));
            yield return FrameBytes.Of(new SaslInit { Mechanism = mechanism, InitialResponse = response });
        }
        yield return ProtocolHeader.Amqp.ToArray();
        yield return FrameBytes.Of(Steps.Open with
        {
            ContainerId = random.Next(3) == 0 ? "" : $"peer-{random.Next(3)}",
            MaxFrameSize = random.Next(2) == 0 ? 512u : 65536u,
        });
    }

    private byte[] Next()
    {
        ushort channel = (ushort)(random.Next(6) == 0 ? 1 : 0);
        return random.Next(12) switch
        {
            0 => FrameBytes.Of(Steps.Begin, channel),
            1 or 2 => Attach(channel),
            3 or 4 => Flow(),
            5 or 6 or 7 => Transfer(),
            8 or 9 => Disposition(channel),
            10 => FrameBytes.Of(new Detach { Handle = Link().Handle, Closed = random.Next(2) == 0 }, Link().Channel),
            _ => random.Next(8) == 0 ? FrameBytes.Of(new End(), channel) : Frames.Heartbeat.ToArray(),
        };
    }

    private byte[] Attach(ushort channel)
    {
        uint handle = (uint)random.Next(6);
        _links.Add((channel, handle));
        Attach attach = random.Next(4) switch
        {
            0 => Steps.SenderAttach(handle, null) with { Target = new Coordinator() },
            1 => Steps.SenderAttach(handle, null) with
            {
                Target = Target(),
                InitialDeliveryCount = random.Next(12) == 0 ? null : 0,
            },
            _ => Steps.ReceiverAttach(handle, random.Next(8) == 0 ? null : Source()),
        };
        return FrameBytes.Of(
            attach with
            {
                Name = $"link-{random.Next(4)}",
                SenderSettleMode = (SenderSettleMode)random.Next(3),
                ReceiverSettleMode = (ReceiverSettleMode)random.Next(2),
                Unsettled = random.Next(3) == 0 ? Unsettled() : null,
                IncompleteUnsettled = random.Next(12) == 0,
            },
            channel);
    }

    private Target? Target() => random.Next(20) == 0 ? null : new Target
    {
        Address = random.Next(4) == 0 ? null : Address(),
        Dynamic = random.Next(6) == 0,
        Durable = (TerminusDurability)random.Next(3),
        Capabilities = random.Next(4) == 0 ? ["topic"] : null,
    };

    private Source Source() => new()
    {
        Address = Address(),
        Dynamic = random.Next(6) == 0,
        Durable = (TerminusDurability)random.Next(3),
        ExpiryPolicy = (TerminusExpiryPolicy)random.Next(4),
        DistributionMode = random.Next(3) == 0 ? DistributionMode.Copy : null,
        Capabilities = random.Next(4) switch { 0 => ["topic"], 1 => ["queue"], 2 => ["topic", "shared"], _ => null },
        Filter = random.Next(4) == 0 ? Filter() : null,
        DefaultOutcome = random.Next(8) == 0 ? State() : null,
    };

    private AmqpMap Filter()
    {
        AmqpValue selector = random.Next(4) switch
        {
            0 => 1,
            1 => "color = ",
            2 => grammar.Text(),
            _ => "JMSPriority > 3",
        };
        ulong descriptor = random.Next(4) == 0 ? Descriptors.NoLocalFilter : Descriptors.SelectorFilter;
        var filter = new AmqpMap();
        filter.AddSymbol("f", AmqpValue.Described(descriptor, selector));
        return filter;
    }

    private AmqpMap Unsettled()
    {
        var unsettled = new AmqpMap();
        for (uint tag = 0; tag < random.Next(6); tag++)
        {
            byte[] key = random.Next(6) == 0 ? grammar.Bytes(random.Next(34)) : BitConverter.GetBytes(tag);
            key = tags.Count > 0 && random.Next(2) == 0 ? tags[random.Next(tags.Count)] : key;
            unsettled.Set(key, random.Next(3) == 0 ? AmqpValue.Null : AmqpValue.FromEncoded(State()));
        }

        return unsettled;
    }

    private byte[] State() => random.Next(7) switch
    {
        0 => DeliveryState.Rejected.ToArray(),
        1 => DeliveryState.Released.ToArray(),
        2 => DeliveryState.ModifiedFailed.ToArray(),
        3 => [0x00, 0x53, 0x34, 0xc0, 0x0f, 0x02, 0xa0, 0x08, 0, 0, 0, 0, 0, 0, 0, (byte)random.Next(4), 0x00,
            0x53, 0x24, 0x45],
        4 => [0x00, 0x53, 0x23, 0xc0, 0x04, 0x02, 0x43, 0x53, (byte)random.Next(3)],
        _ => DeliveryState.Accepted.ToArray(),
    };

    private string Address() => random.Next(6) switch
    {
        0 => "topic://news",
        1 => "queue/q",
        2 => "a::b",
        3 => grammar.Text(),
        _ => $"q{random.Next(3)}",
    };

    private (ushort Channel, uint Handle) Link() =>
        _links.Count == 0 ? ((ushort)0, 0u) : _links[random.Next(_links.Count)];

    private byte[] Flow()
    {
        (ushort channel, uint handle) = Link();
        return FrameBytes.Of(
            new Flow
            {
                NextIncomingId = (uint)random.Next(3),
                IncomingWindow = (uint)random.Next(200),
                NextOutgoingId = _nextId,
                OutgoingWindow = 100,
                Handle = random.Next(9) == 0 ? null : handle,
                DeliveryCount = (uint)random.Next(3),
                LinkCredit = random.Next(9) == 0 ? uint.MaxValue : (uint)random.Next(20),
                Drain = random.Next(3) == 0,
                Echo = random.Next(3) == 0,
            },
            channel);
    }

    private byte[] Transfer()
    {
        (ushort channel, uint handle) = Link();
        byte[] payload = random.Next(5) switch
        {
            0 => [0x00, 0x53, 0x77, 0x00, 0x53, 0x31, 0x45],
            1 => [0x00, 0x53, 0x77, 0x00, 0x53, 0x32, 0xc0, 0x0c, 0x02, 0xa0, 0x08, 0, 0, 0, 0, 0, 0, 0,
                (byte)random.Next(4), 0x42],
            2 => grammar.Bytes(random.Next(600)),
            _ => Steps.Message(grammar.Text(), durable: random.Next(2) == 0),
        };
        Transfer transfer =
            Steps.TransferOf(handle, _nextId, settled: random.Next(4) == 0, more: random.Next(5) == 0) with
            {
                Aborted = random.Next(12) == 0,
                Resume = random.Next(12) == 0,
                State = random.Next(6) == 0 ? State() : default,
            };
        _nextId += transfer.More ? 0u : 1u;
        return FrameBytes.Of(transfer, payload, channel);
    }

    private byte[] Disposition(ushort channel)
    {
        uint first = (uint)random.Next(8);
        return FrameBytes.Of(
            new Disposition
            {
                Role = random.Next(6) == 0 ? Role.Sender : Role.Receiver,
                First = first,
                Last = random.Next(2) == 0 ? null : random.Next(9) == 0 ? uint.MaxValue : first + (uint)random.Next(9),
                Settled = random.Next(3) != 0,
                State = State(),
            },
            channel);
    }
}
