using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>A PUBLISH that a peer got, kept.</summary>
internal sealed record Received(
    string Topic, string Body, int Qos, bool Retain, bool Dup, ushort Id, byte[] Properties, int Alias)
{
    public List<(PropertyId Id, uint Number, string Text, string Value)> All
    {
        get
        {
            var all = new List<(PropertyId, uint, string, string)>();
            var reader = new PropertyReader(Properties, PacketType.Publish);
            while (reader.Next())
            {
                all.Add((reader.Id, reader.Number, Encoding.UTF8.GetString(reader.Bytes),
                    Encoding.UTF8.GetString(reader.Value)));
            }

            return all;
        }
    }
}

/// <summary>A client that says exactly what a test wants: any packet, or any bytes.</summary>
internal sealed class MqttPeer(PipeReader input, PipeWriter output, Task running, MqttVersion version)
    : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly Queue<Received> _early = new();
    private bool _isClosed;
    private ushort _lastId;

    public ConnAckPacket Admission { get; set; } = null!;

    public MqttVersion Version => version;

    public async Task<ConnAckPacket> ConnectAsync(ConnectPacket connect)
    {
        await SendAsync(to => connect.Write(to));
        (FixedHeader header, byte[] body) = await TakeAsync();
        Assert.Equal(PacketType.ConnAck, header.Type);
        return ConnAckPacket.Read(body, version);
    }

    public async Task SendAsync(Action<IBufferWriter<byte>> write)
    {
        write(output);
        await output.FlushAsync();
    }

    public Task SendAsync(byte[] bytes) => SendAsync(to => to.Write(bytes));

    /// <summary>Publishes, and for QoS 1 and 2 waits for all answers.</summary>
    public async Task PublishAsync(string topic, string body, int qos = 0, bool retain = false)
    {
        ushort id = await SendPublishAsync(topic, body, qos, retain);
        if (qos == 1)
        {
            AssertTaken(await ExpectAckAsync(PacketType.PubAck, id));
        }
        else if (qos == 2)
        {
            AssertTaken(await ExpectAckAsync(PacketType.PubRec, id));
            await AckAsync(PacketType.PubRel, id);
            Assert.Equal(ReasonCode.Success, await ExpectAckAsync(PacketType.PubComp, id));
        }
    }

    public async Task<ushort> SendPublishAsync(
        string topic, string body, int qos = 0, bool retain = false, ushort id = 0, bool dup = false,
        Action<PropertyWriter>? with = null)
    {
        var properties = new PropertyWriter();
        with?.Invoke(properties);
        ushort used = qos == 0 ? (ushort)0 : id != 0 ? id : ++_lastId;
        await SendAsync(to => new PublishPacket
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(body),
            Qos = (byte)qos,
            Retain = retain,
            Dup = dup,
            PacketId = used,
            Properties = properties.Written,
        }.Write(to, version));
        return used;
    }

    public Task AckAsync(PacketType type, ushort id, ReasonCode reason = ReasonCode.Success) =>
        SendAsync(to => new AckPacket(type, id, reason).Write(to, version));

    public async Task<ReasonCode> ExpectAckAsync(PacketType type, ushort id)
    {
        (FixedHeader header, byte[] body) = await TakeAsync();
        Assert.Equal(type, header.Type);
        AckPacket ack = AckPacket.Read(type, body, version);
        Assert.Equal(id, ack.PacketId);
        return ack.Reason;
    }

    /// <summary>Subscribes and takes the SUBACK.</summary>
    public async Task<ReasonCode[]> SubscribeAsync(string filter, int qos = 0, int options = 0, int id = 0)
    {
        ushort packet = ++_lastId;
        await SendAsync(to => SubscribePacket.Write(to, version, packet, id, (filter, (byte)(qos | options))));
        (FixedHeader header, byte[] body) = await TakeAsync();
        Assert.Equal(PacketType.SubAck, header.Type);
        return Reasons(PacketType.SubAck, packet, body);
    }

    public async Task<ReasonCode[]> UnsubscribeAsync(params string[] filters)
    {
        ushort packet = ++_lastId;
        await SendAsync(to => UnsubscribePacket.Write(to, version, packet, filters));
        (FixedHeader header, byte[] body) = await TakeAsync();
        Assert.Equal(PacketType.UnsubAck, header.Type);
        return Reasons(PacketType.UnsubAck, packet, body);
    }

    /// <summary>Takes the next packet, which must be a PUBLISH.</summary>
    public async Task<Received> TakePublishAsync()
    {
        if (_early.TryDequeue(out Received? early))
        {
            return early;
        }

        (FixedHeader header, byte[] body) = await TakeAsync();
        return ReadPublish(header, body);
    }

    /// <summary>Takes the next PUBLISH and answers it to the end; others may come in between.</summary>
    public async Task<Received> TakeAnsweredAsync()
    {
        Received got = await TakePublishAsync();
        if (got.Qos == 1)
        {
            await AckAsync(PacketType.PubAck, got.Id);
        }
        else if (got.Qos == 2)
        {
            await AckAsync(PacketType.PubRec, got.Id);
            (FixedHeader header, byte[] body) = await TakeAsync();
            for (; header.Type == PacketType.Publish; (header, body) = await TakeAsync())
            {
                _early.Enqueue(ReadPublish(header, body));
            }

            Assert.Equal(PacketType.PubRel, header.Type);
            Assert.Equal(got.Id, AckPacket.Read(header.Type, body, version).PacketId);
            await AckAsync(PacketType.PubComp, got.Id);
        }

        return got;
    }

    private Received ReadPublish(FixedHeader header, byte[] body)
    {
        Assert.Equal(PacketType.Publish, header.Type);
        PublishPacket packet = PublishPacket.Read(header.Flags, body, version);
        return new Received(
            Encoding.UTF8.GetString(packet.Topic), Encoding.UTF8.GetString(packet.Payload), packet.Qos, packet.Retain,
            packet.Dup, packet.PacketId, packet.Properties.ToArray(), packet.TopicAlias);
    }

    /// <summary>Nothing has come that was not taken: an answer to PINGREQ is the next.</summary>
    public async Task AssertQuietAsync()
    {
        Assert.Empty(_early);
        await SendAsync([0xC0, 0x00]);
        Assert.Equal(PacketType.PingResp, (await TakeAsync()).Header.Type);
    }

    /// <summary>The node says goodbye, and why, and ends.</summary>
    public async Task<ReasonCode> ExpectEndAsync()
    {
        (FixedHeader header, byte[] body) = await TakeAsync();
        ReasonCode reason = header.Type == PacketType.ConnAck
            ? ConnAckPacket.Read(body, version).Reason
            : DisconnectPacket.Read(body, version).Reason;
        await AssertEndedAsync();
        return reason;
    }

    /// <summary>The node has ended the connection without another word.</summary>
    public async Task AssertEndedAsync()
    {
        Assert.Null(await TryTakeAsync());
        await running.WaitAsync(Timeout);
    }

    /// <summary>Says goodbye.</summary>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success, uint? expiry = null)
    {
        var packet = new DisconnectPacket(reason) { SessionExpiry = expiry };
        await SendAsync(to => packet.Write(to, version));
        await running.WaitAsync(Timeout);
    }

    /// <summary>Cuts the connection.</summary>
    public async Task CutAsync()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            await output.CompleteAsync();
        }

        await running.WaitAsync(Timeout);
    }

    public async Task<(FixedHeader Header, byte[] Body)> TakeAsync() =>
        await TryTakeAsync() ?? throw new EndOfStreamException("the connection ended");

    /// <summary>The next packet; null when the connection has ended.</summary>
    public async Task<(FixedHeader Header, byte[] Body)?> TryTakeAsync()
    {
        using var cancellation = new CancellationTokenSource(Timeout);
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancellation.Token);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (FixedHeader.TryRead(buffer, int.MaxValue, out FixedHeader header)
                && buffer.Length >= header.PacketBytes)
            {
                byte[] body = buffer.Slice(header.HeaderBytes, header.Length).ToArray();
                input.AdvanceTo(buffer.GetPosition(header.PacketBytes));
                return (header, body);
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CutAsync();
        await input.CompleteAsync();
    }

    // Whether anybody wanted it is another matter.
    private static void AssertTaken(ReasonCode reason) =>
        Assert.True(reason is ReasonCode.Success or ReasonCode.NoMatchingSubscribers, $"{reason}");

    private ReasonCode[] Reasons(PacketType type, ushort packet, byte[] body)
    {
        SubAckPacket ack = SubAckPacket.Read(type, body, version);
        Assert.Equal(packet, ack.PacketId);
        return [.. ack.Reasons.ToArray().Select(reason => (ReasonCode)reason)];
    }
}
