using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>Subscribes, notes what comes, and answers when the seed says so.</summary>
internal sealed class MqttSubscriber(
    SimNode node, IRandom random, string clientId, Arrivals arrivals, params (string Filter, byte Qos)[] filters)
    : MqttClient(node, random, clientId)
{
    private readonly Queue<(PacketType Type, ushort Id)> _answers = new();
    private readonly HashSet<ushort> _taken = [];

    /// <summary>The node has said that it is subscribed.</summary>
    public bool IsSubscribed { get; private set; }

    /// <inheritdoc/>
    public override void Act()
    {
        for (int i = 1 + Random.Next(4); i > 0 && IsConnected && _answers.TryDequeue(out var answer); i--)
        {
            Answer(answer.Type, answer.Id);
        }
    }

    protected override void OnConnected(bool isSessionPresent)
    {
        Violation.Unless(isSessionPresent || !IsSubscribed, $"the session is gone: {string.Join("; ", Story)}");
        _answers.Clear();
        if (!IsSubscribed)
        {
            Subscribe(1, filters);
        }
    }

    protected override void OnPacket(in FixedHeader header, byte[] body)
    {
        switch (header.Type)
        {
            case PacketType.SubAck:
                // With a disk that fails the node may have to refuse.
                IsSubscribed = body.AsSpan(2).IndexOfAnyInRange((byte)0x80, (byte)0xFF) < 0;
                Violation.Unless(IsSubscribed || Node.IsFailing, "a subscription is refused");
                break;
            case PacketType.PubRel:
                ushort released = IdOf(header, body);
                _taken.Remove(released);
                _answers.Enqueue((PacketType.PubComp, released));
                break;
            default:
                (string topic, int qos, ushort id, int number) = Read(header, body);
                Note(topic, qos, id, number);
                _answers.Enqueue((qos == 1 ? PacketType.PubAck : PacketType.PubRec, id));
                break;
        }
    }

    // MQTT 3.1.1 §4.3.3: an identifier that is taken and not released brings the same message again. What comes by a
    // stream has the QoS of the subscription, whatever it was published with.
    private void Note(string topic, int qos, ushort id, int number)
    {
        if (qos == 2 && !_taken.Add(id))
        {
            return;
        }

        if (topic == MqttMortal.Topic)
        {
            arrivals.Wills.Add(number);
        }
        else if (topic.EndsWith('3'))
        {
            arrivals.ShortLived.Add(number);
        }
        else if (topic.EndsWith('2'))
        {
            arrivals.Exactly.Add(number);
        }
        else
        {
            arrivals.Times[number] = arrivals.Times.GetValueOrDefault(number) + 1;
            if (arrivals.Times[number] == 1)
            {
                arrivals.Once.Add(number);
            }
        }
    }
}
