using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>Publishes numbers with QoS 1 and 2 below a topic, each until it is answered to the end.</summary>
internal sealed class MqttPublisher(SimNode node, IRandom random, string topic)
    : MqttClient(node, random, $"publisher-{topic}")
{
    private const int WindowMax = 12;
    private readonly List<Message> _underWay = [];
    private ushort _lastId;

    /// <summary>Numbers published with a QoS of 1 and of 2, from 0 on.</summary>
    public int[] Published { get; } = new int[3];

    public int UnderWay => _underWay.Count;

    /// <inheritdoc/>
    public override void Act()
    {
        if (!IsConnected || _underWay.Count >= WindowMax)
        {
            return;
        }

        int qos = 1 + Random.Next(2);
        var message = new Message(qos, Published[qos]++, ++_lastId == 0 ? ++_lastId : _lastId);
        _underWay.Add(message);
        Publish($"{topic}/{qos}", qos, message.Number, message.Id, isAgain: false);
    }

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
                Publish($"{topic}/{message.Qos}", message.Qos, message.Number, message.Id, isAgain: true);
            }
        }
    }

    protected override void OnPacket(in FixedHeader header, byte[] body)
    {
        ushort id = IdOf(header, body);
        Message? message = _underWay.Find(one => one.Id == id);
        Violation.Unless(message is not null, $"a {header.Type} for {id}, which is not under way");
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

    private sealed record Message(int Qos, int Number, ushort Id)
    {
        public bool IsReleased { get; set; }
    }
}
