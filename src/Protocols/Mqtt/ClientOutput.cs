using Pillarbox.Protocols.Mqtt.Deliveries;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>What is said to a client that is let in: in its version, and no packet larger than it takes (MQTT 5.0
/// §3.1.2.11.4). Never flushes. Owned by the connection.</summary>
/// <param name="output">Where it goes.</param>
/// <param name="connect">What the client has said of itself.</param>
/// <param name="aliasesMax">Topic aliases that the node sets, however many the client takes.</param>
internal sealed class ClientOutput(PacketWriter output, ConnectPacket connect, int aliasesMax)
{
    private readonly MqttVersion _version = connect.Version;
    private readonly SentAliases _aliases = new(Math.Min(connect.TopicAliasMaximum, aliasesMax));

    /// <summary>Whether the client can be told why something was refused.</summary>
    public bool TellsReasons => _version == MqttVersion.V5;

    /// <summary>Whether what a client may not publish is acknowledged all the same: MQTT 3.1 asks for that (its section
    /// on PUBLISH), 3.1.1 leaves it to the server.</summary>
    public bool AcknowledgesForbidden => _version == MqttVersion.V31;

    /// <summary>Bytes written since the connection began.</summary>
    public long BytesWritten => output.BytesWritten;

    /// <summary>PINGRESP.</summary>
    public void Pong()
    {
        var to = new MqttWriter(output.GetSpan(2));
        to.Header(PacketType.PingResp, 0, 0);
        output.Advance(to.Count);
    }

    /// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP, with the reason as near as the packet may say it; in words too, for
    /// a client that asked for them.</summary>
    public void Answer(PacketType type, ushort id, ReasonCode reason = ReasonCode.Success, string? text = null) =>
        new AckPacket(type, id, ReasonTable.For(type, reason)).Write(
            output, _version, connect.RequestProblemInformation ? text : null, connect.MaximumPacketSize);

    /// <summary>SUBACK or UNSUBACK; false when it is larger than the client takes, and nothing was written.</summary>
    public bool TryAnswer(in SubAckPacket answer)
    {
        if (answer.BytesFor(_version) > connect.MaximumPacketSize)
        {
            return false;
        }

        answer.Write(output, _version);
        return true;
    }

    /// <summary>Whether a PUBLISH is one that the client takes.</summary>
    public bool Fits(in OutgoingPublish outgoing) =>
        connect.MaximumPacketSize == uint.MaxValue || outgoing.BytesFor(_version) <= connect.MaximumPacketSize;

    /// <summary>PUBLISH; false when it is larger than the client takes, and nothing was written.</summary>
    public bool TryPublish(in OutgoingPublish outgoing) =>
        outgoing.TryWrite(output, _version, _aliases, connect.MaximumPacketSize);
}
