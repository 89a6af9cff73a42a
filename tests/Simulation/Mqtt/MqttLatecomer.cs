using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Simulation.Tests.Mqtt;

/// <summary>Comes when all is over, and hears what is retained.</summary>
internal sealed class MqttLatecomer(SimNode node, IRandom random) : MqttClient(node, random, "latecomer")
{
    /// <summary>What it heard.</summary>
    public Dictionary<string, int> Heard { get; } = [];

    /// <summary>It is subscribed.</summary>
    public bool IsSubscribed { get; private set; }

    /// <inheritdoc/>
    public override void Act()
    {
    }

    protected override void OnConnected(bool isSessionPresent) => Subscribe(1, ("r/#", 0));

    protected override void OnPacket(in FixedHeader header, byte[] body)
    {
        if (header.Type == PacketType.SubAck)
        {
            IsSubscribed = true;
            return;
        }

        (string topic, _, _, int number) = Read(header, body);
        Violation.Unless(Heard.TryAdd(topic, number), $"two messages are retained of {topic}");
    }
}
