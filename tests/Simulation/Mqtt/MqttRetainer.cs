using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>Sets retained messages of some topics, and takes them away, one after the other.</summary>
internal sealed class MqttRetainer(SimNode node, IRandom random) : MqttClient(node, random, "retainer")
{
    private const int Topics = 4;
    private string _topic = "";
    private int _number;
    private ushort _id;

    /// <summary>What is retained when nothing is under way.</summary>
    public Dictionary<string, int> Last { get; } = [];

    /// <summary>One is not answered yet.</summary>
    public bool IsUnderWay { get; private set; }

    /// <inheritdoc/>
    public override void Act()
    {
        if (!IsConnected || IsUnderWay)
        {
            return;
        }

        _topic = $"r/{Random.Next(Topics)}";
        _number = Random.Next(4) == 0 ? -1 : _number < 0 ? _id : _number + 1;
        _id = (ushort)(_id % ushort.MaxValue + 1);
        IsUnderWay = true;
        Publish(_topic, 1, _number, _id, isAgain: false, retain: true);
    }

    protected override void OnConnected(bool isSessionPresent)
    {
        if (IsUnderWay)
        {
            Publish(_topic, 1, _number, _id, isAgain: true, retain: true);
        }
    }

    protected override void OnPacket(in FixedHeader header, byte[] body)
    {
        Violation.Unless(
            header.Type == PacketType.PubAck && IdOf(header, body) == _id, $"a {header.Type} for the retainer");
        IsUnderWay = false;
        if (_number < 0)
        {
            Last.Remove(_topic);
        }
        else
        {
            Last[_topic] = _number;
        }
    }
}
