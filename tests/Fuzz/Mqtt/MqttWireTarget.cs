using Pillarbox.Protocols.Mqtt.Tests.Wire;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Fuzz.Mqtt;

/// <summary>
/// The MQTT codec: packets of every kind and version, mutated, are read. What was read is written and read again: it
/// must be the same. The first byte of an input says which version it is.
/// </summary>
internal sealed class MqttWireTarget : IFuzzTarget
{
    private readonly (MqttVersion Version, byte[] Packet)[] _corpus =
    [
        .. from version in Packets.Versions
           from packet in Packets.All(version)
           select (version, packet),
    ];

    public byte[] Make(Random random)
    {
        (MqttVersion version, byte[] packet) = _corpus[random.Next(_corpus.Length)];
        return [(byte)version, .. MqttMutation.Of(packet, random)];
    }

    public void Take(byte[] input)
    {
        var version = (MqttVersion)input[0];
        byte[]? once = Again(input[1..], version);
        if (once is null)
        {
            return;
        }

        byte[]? twice = Again(once, version);
        if (twice is null || !once.AsSpan().SequenceEqual(twice))
        {
            throw new InvalidOperationException("a packet became another one");
        }
    }

    private static byte[]? Again(byte[] packet, MqttVersion version)
    {
        try
        {
            return Packets.Again(packet, version);
        }
        catch (MqttException)
        {
            return null;
        }
    }
}
