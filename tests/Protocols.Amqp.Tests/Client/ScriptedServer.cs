using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Tests.Client;

/// <summary>The server's end of a conversation with a <see cref="ClientConnection"/>:
/// says what it is told to say.</summary>
internal sealed class ScriptedServer
{
    public const int FrameBytesMax = 512;
    private readonly List<byte> _sent = [];
    private readonly List<byte> _unread = [];
    private ClientConnection? _client;

    public string[] Mechanisms { get; init; } = ["PLAIN", "ANONYMOUS"];

    public SaslInit? SaslInit { get; private set; }

    public Open? PeerOpen { get; private set; }

    /// <summary>All bytes said so far.</summary>
    public byte[] Sent => [.. _sent];

    /// <summary>Goes through login and open, as far as the client goes along.</summary>
    public ClientConnection Open(ClientOptions options)
    {
        _client = new ClientConnection(options);
        _client.Start();
        Raw(ProtocolHeader.Sasl);
        Say(FrameType.Sasl, 0, (ref AmqpWriter w) => new SaslMechanisms { ServerMechanisms = Mechanisms }.Write(ref w));
        ReadHandshake();
        if (SaslInit is null)
        {
            return _client;
        }
        Say(FrameType.Sasl, 0, (ref AmqpWriter w) => new SaslOutcome { Code = SaslCode.Ok }.Write(ref w));
        Raw(ProtocolHeader.Amqp);
        Say(FrameType.Amqp, 0, (ref AmqpWriter w) =>
            new Open { ContainerId = "server", MaxFrameSize = FrameBytesMax }.Write(ref w));
        ReadHandshake();
        return _client;
    }

    public void Send(ushort channel, Begin begin) =>
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) => begin.Write(ref w));

    public void Send(ushort channel, Attach attach) =>
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) => attach.Write(ref w));

    public void Send(ushort channel, Detach detach) =>
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) => detach.Write(ref w));

    public void Send(ushort channel, Close close) =>
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) => close.Write(ref w));

    public void Flow(ushort channel, in Flow flow)
    {
        var output = new ByteQueue();
        AmqpWriter writer = new(output);
        flow.Write(ref writer);
        writer.Commit();
        byte[] encoded = output.Bytes.ToArray();
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) => w.WriteRaw(encoded));
    }

    public void Settle(ushort channel, uint first, uint last, ReadOnlySpan<byte> state)
    {
        byte[] outcome = state.ToArray();
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) =>
            new Disposition
            {
                Role = Role.Receiver,
                First = first,
                Last = last,
                Settled = true,
                State = outcome,
            }.Write(ref w));
    }

    public void Transfer(ushort channel, uint handle, uint? id, byte[] payload, bool more, bool aborted = false) =>
        Say(FrameType.Amqp, channel, (ref AmqpWriter w) =>
        {
            byte[]? tag = id is null ? null : [1];
            new Transfer { Handle = handle, DeliveryId = id, DeliveryTag = tag, More = more, Aborted = aborted }
                .Write(ref w);
            w.WriteRaw(payload);
        });

    /// <summary>The frames that the client has written since the last time.</summary>
    public List<Frame> Take()
    {
        _client!.Flush();
        _unread.AddRange(_client.Output.Bytes);
        _client.Output.Take(_client.Output.Count);
        List<Frame> frames = [];
        ReadOnlySpan<byte> input = _unread.ToArray();
        while (Frames.TryReadFrame(input, 1 << 20, out FrameHeader header, out ReadOnlySpan<byte> body))
        {
            frames.Add(Frame.Read(body));
            input = input[(int)header.Size..];
        }
        _unread.RemoveRange(0, _unread.Count - input.Length);
        return frames;
    }

    private void ReadHandshake()
    {
        _unread.AddRange(_client!.Output.Bytes);
        _client.Output.Take(_client.Output.Count);
        ReadOnlySpan<byte> input = _unread.ToArray();
        while (input.Length >= 8)
        {
            if (input.StartsWith("AMQP"u8))
            {
                input = input[8..];
                continue;
            }
            Frames.TryReadFrame(input, 1 << 20, out FrameHeader header, out ReadOnlySpan<byte> body);
            AmqpReader reader = new(body);
            if (header.Type == FrameType.Sasl)
            {
                SaslInit = SaslInit.Read(ref reader);
            }
            else
            {
                PeerOpen = Protocols.Amqp.Wire.Open.Read(ref reader);
            }
            input = input[(int)header.Size..];
        }
        _unread.Clear();
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        _sent.AddRange(bytes);
        if (_client!.State != ClientState.Closed)
        {
            _client.Receive(bytes);
        }
    }

    private void Say(FrameType type, ushort channel, WriteBody body)
    {
        var output = new ByteQueue();
        AmqpWriter writer = new(output);
        int mark = writer.BeginFrame(type, channel);
        body(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
        Raw(output.Bytes);
    }

    private delegate void WriteBody(ref AmqpWriter writer);

    /// <summary>What a test looks at of a frame.</summary>
    internal sealed record Frame
    {
        public required ulong Code { get; init; }

        public uint? DeliveryId { get; init; }

        public bool More { get; init; }

        public byte[] Payload { get; init; } = [];

        public uint? DeliveryCount { get; init; }

        public uint? LinkCredit { get; init; }

        public uint? First { get; init; }

        public uint? Last { get; init; }

        public static Frame Read(ReadOnlySpan<byte> body)
        {
            AmqpReader reader = new(body);
            ulong code = reader.ReadDescriptor();
            switch (code)
            {
                case Protocols.Amqp.Wire.Transfer.DescriptorCode:
                    Transfer transfer = Protocols.Amqp.Wire.Transfer.ReadFields(ref reader);
                    return new Frame
                    {
                        Code = code,
                        DeliveryId = transfer.DeliveryId,
                        More = transfer.More,
                        Payload = reader.Rest.ToArray(),
                    };
                case Protocols.Amqp.Wire.Flow.DescriptorCode:
                    Flow flow = Protocols.Amqp.Wire.Flow.ReadFields(ref reader);
                    return new Frame { Code = code, DeliveryCount = flow.DeliveryCount, LinkCredit = flow.LinkCredit };
                case Disposition.DescriptorCode:
                    Disposition disposition = Disposition.ReadFields(ref reader);
                    return new Frame { Code = code, First = disposition.First, Last = disposition.Last };
                default:
                    return new Frame { Code = code };
            }
        }
    }
}
