using System.Text;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>The retained message of a topic (MQTT 5.0 §3.3.1.3). Immutable.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Stored">The message as <see cref="MqttMessageMap"/> has it; an empty payload: there is none any
/// more.</param>
/// <param name="ExpiresAtMs">When it expires, in milliseconds since the Unix epoch; 0 = never.</param>
/// <param name="Publisher">Who published it, for no local.</param>
internal sealed record RetainedMessage(string Topic, byte[] Stored, long ExpiresAtMs, ulong Publisher)
{
    /// <summary>What takes a topic's message away.</summary>
    public static RetainedMessage Removal(string topic)
    {
        var message = new MqttMessageMap { Topic = Encoding.UTF8.GetBytes(topic) };
        byte[] stored = new byte[message.Bytes];
        message.Write(stored);
        return new RetainedMessage(topic, stored, 0, 0);
    }

    /// <summary>Whether it takes the topic's message away.</summary>
    public bool IsRemoval => MqttMessageMap.TryRead(Stored, out MqttMessageMap message) && message.Payload.IsEmpty;

    public bool IsExpired(long nowMs) => ExpiresAtMs > 0 && ExpiresAtMs <= nowMs;

    /// <summary>Bytes that it takes in memory, roughly.</summary>
    public int Bytes => Stored.Length + (Topic.Length * 2) + 128;
}
