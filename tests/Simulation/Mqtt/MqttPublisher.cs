using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>Publishes numbers with QoS 1 and 2 below a topic, each until it is answered to the end; with QoS 2 also
/// some that do not live long, to a topic of their own.</summary>
internal sealed class MqttPublisher(SimNode node, IRandom random, string topic, bool hasShortLived = false)
    : MqttClient(node, random, $"publisher-{topic}")
{
    /// <summary>What does not live long has this in the place of its QoS.</summary>
    public const int ShortLived = 3;

    private const int WindowMax = 12;
    private const int LifeSecondsMax = 3;
    private readonly List<Message> _underWay = [];
    private ushort _lastId;

    /// <summary>Numbers published with a QoS of 1 and of 2, and of those that do not live long, from 0 on.</summary>
    public int[] Published { get; } = new int[4];

    public int UnderWay => _underWay.Count;

    protected override MqttVersion Version => hasShortLived ? MqttVersion.V5 : MqttVersion.V311;

    /// <inheritdoc/>
    public override void Act()
    {
        if (!IsConnected || _underWay.Count >= WindowMax)
        {
            return;
        }

        int kind = 1 + Random.Next(hasShortLived ? 3 : 2);
        var message = new Message(kind, Published[kind]++, ++_lastId == 0 ? ++_lastId : _lastId)
        {
            LifeSeconds = kind == ShortLived ? 1 + Random.Next(LifeSecondsMax) : 0,
        };
        _underWay.Add(message);
        Publish(message, isAgain: false);
    }

    protected override ConnectPacket Admission(ConnectPacket plain) =>
        plain with { SessionExpiry = hasShortLived ? ConnectPacket.NeverExpires : 0 };

    private void Publish(Message message, bool isAgain) => Publish(
        $"{topic}/{message.Kind}", message.Qos, message.Number, message.Id, isAgain, lifeSeconds: message.LifeSeconds);

    // MQTT 3.1.1 §4.4, §4.6: what was not answered goes again, in its order.
    protected override void OnConnected(bool isSessionPresent)
    {
        foreach (Message message in _underWay)
        {
            if (message.IsReleased)
            {
                Answer(PacketType.PubRel, message.Id);
            }
            else
            {
                Publish(message, isAgain: true);
            }
        }
    }

    protected override void OnPacket(in FixedHeader header, byte[] body)
    {
        if (header.Type == PacketType.Disconnect)
        {
            Violation.Unless(Node.IsFailing || HasStray, $"a publisher hears {Convert.ToHexString(body)}");
            return;
        }

        ushort id = IdOf(header, body);
        Message? message = _underWay.Find(one => one.Id == id);
        Violation.Unless(message is not null, $"a {header.Type} for {id}, which is not under way");
        // An identifier that the node has released before, and the client released again: no error then (3.7.2.1).
        if (header.Type != PacketType.PubComp && (int)AckPacket.Read(header.Type, body, Version).Reason >= 0x80)
        {
            Violation.Unless(Node.IsFailing, $"a message is refused: {header.Type} {Convert.ToHexString(body)}");
            return;
        }

        switch (header.Type)
        {
            case PacketType.PubRec:
                message!.IsReleased = true;
                Answer(PacketType.PubRel, id);
                break;
            default:
                bool isDue = header.Type == (message!.Qos == 1 ? PacketType.PubAck : PacketType.PubComp);
                Violation.Unless(isDue, $"a {header.Type} for a message of QoS {message.Qos}");
                _underWay.Remove(message);
                break;
        }
    }

    private sealed record Message(int Kind, int Number, ushort Id)
    {
        public int Qos => Math.Min(Kind, 2);

        public int LifeSeconds { get; init; }

        public bool IsReleased { get; set; }
    }
}
