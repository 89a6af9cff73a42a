using System.Buffers;
using System.Globalization;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>A client whose session goes on, over connections that come and go; of MQTT 3.1.1 unless it says otherwise.
/// </summary>
internal abstract class MqttClient(SimNode node, IRandom random, string clientId)
{
    private readonly ArrayBufferWriter<byte> _packets = new();
    private ByteQueue _toNode = new();
    private ByteQueue _received = new();
    private SimConnection? _connection;

    /// <summary>What it said and heard, and when it was cut off.</summary>
    public List<string> Story { get; } = [];

    /// <summary>The node has let it in.</summary>
    public bool IsConnected { get; private set; }

    public bool HasConnection => _connection is not null;

    protected IRandom Random => random;

    protected SimNode Node => node;

    /// <summary>What it speaks.</summary>
    protected virtual MqttVersion Version => MqttVersion.V311;

    /// <summary>The CONNECT of an older connection that was cut may be taken after that of a newer one, and takes over.
    /// </summary>
    protected bool HasStray { get; private set; }

    /// <summary>It has said goodbye: the node may end the connection.</summary>
    protected bool HasSaidGoodbye { get; set; }

    /// <summary>Asks to be let in.</summary>
    public void Connect()
    {
        _connection = node.Accept();
        _toNode = new ByteQueue();
        _received = new ByteQueue();
        HasSaidGoodbye = false;
        Send(Admission(new ConnectPacket { Version = Version, ClientId = clientId, CleanStart = false }).Write);
    }

    /// <summary>The connection breaks.</summary>
    public virtual void Cut()
    {
        HasStray |= _connection is not null && !IsConnected;
        _connection?.Cut(random.Next(2) == 0);
        Forget();
    }

    /// <summary>The node is gone, and the connection with it.</summary>
    public virtual void Forget()
    {
        Story.Add("cut off");
        _connection = null;
        IsConnected = false;
    }

    /// <summary>Moves bytes both ways; false when nothing moved.</summary>
    public bool Move()
    {
        if (_connection is null)
        {
            return false;
        }

        bool moved = _connection.MoveToPeer(_received, random);
        while (_connection is not null && FixedHeader.TryRead(_received.Bytes, int.MaxValue, out FixedHeader header)
            && header.PacketBytes <= _received.Count)
        {
            byte[] body = _received.Bytes.Slice(header.HeaderBytes, header.Length).ToArray();
            _received.Take(header.PacketBytes);
            Take(header, body);
        }

        if (_connection is { IsCutByNode: true })
        {
            Violation.Unless(
                node.IsFailing || HasSaidGoodbye || HasStray,
                $"the node ended the connection of {clientId}: {string.Join("; ", Story.TakeLast(8))}");
            Forget();
            return true;
        }

        return _connection?.MoveToNode(_toNode, random) == true || moved;
    }

    /// <summary>Does something that it may do now.</summary>
    public abstract void Act();

    /// <summary>How it asks to be let in.</summary>
    protected virtual ConnectPacket Admission(ConnectPacket plain) => plain;

    protected abstract void OnConnected(bool isSessionPresent);

    protected abstract void OnPacket(in FixedHeader header, byte[] body);

    protected void Send(Action<IBufferWriter<byte>> write)
    {
        _packets.ResetWrittenCount();
        write(_packets);
        _toNode.Append(_packets.WrittenSpan);
    }

    protected void Answer(PacketType type, ushort id)
    {
        Story.Add($"says {type} {id}");
        Send(to => new AckPacket(type, id).Write(to, Version));
    }

    /// <summary>A number below 0 is an empty payload.</summary>
    protected void Publish(
        string topic, int qos, int number, ushort id, bool isAgain, bool retain = false, int lifeSeconds = 0)
    {
        var properties = new PropertyWriter();
        if (lifeSeconds > 0)
        {
            properties.Add(PropertyId.MessageExpiryInterval, (uint)lifeSeconds);
        }

        Story.Add($"says Publish {number} to {topic} QoS {qos} as {id}{(isAgain ? " again" : "")}");
        Send(to => new PublishPacket
        {
            Topic = Encoding.ASCII.GetBytes(topic),
            Payload = number < 0 ? [] : Encoding.ASCII.GetBytes($"{number}"),
            Qos = (byte)qos,
            Dup = isAgain,
            Retain = retain,
            PacketId = id,
            Properties = properties.Written,
        }.Write(to, Version));
    }

    protected void Subscribe(ushort id, params (string Filter, byte Options)[] filters) =>
        Send(to => SubscribePacket.Write(to, Version, id, 0, filters));

    protected ushort IdOf(in FixedHeader header, byte[] body) =>
        AckPacket.Read(header.Type, body, Version).PacketId;

    protected (string Topic, int Qos, ushort Id, int Number) Read(in FixedHeader header, byte[] body)
    {
        PublishPacket packet = PublishPacket.Read(header.Flags, body, Version);
        return (Encoding.ASCII.GetString(packet.Topic), packet.Qos, packet.PacketId,
            int.Parse(packet.Payload, CultureInfo.InvariantCulture));
    }

    private void Take(in FixedHeader header, byte[] body)
    {
        if (header.Type != PacketType.ConnAck)
        {
            Story.Add(header.Type == PacketType.Publish
                ? $"hears Publish {Read(header, body)}" : $"hears {header.Type} {body[0] << 8 | body[1]}");
            OnPacket(header, body);
            return;
        }

        ConnAckPacket admission = ConnAckPacket.Read(body, Version);
        bool isDisplaced = HasStray && admission.Reason == ReasonCode.SessionTakenOver;
        Violation.Unless(
            admission.Reason == ReasonCode.Success || node.IsFailing || isDisplaced,
            $"{clientId} is refused: {admission.Reason}");
        if (admission.Reason != ReasonCode.Success)
        {
            Story.Add($"refused: {admission.Reason}");
            return;
        }

        Story.Add("let in");
        IsConnected = true;
        OnConnected(admission.SessionPresent);
    }
}
