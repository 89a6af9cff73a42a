using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Content;

/// <summary>Reads what selectors ask of MQTT messages: user properties by their names, which are untyped text, and JMS
/// header names. Pure; any thread.</summary>
public sealed class MqttPropertyReader : IPropertyReader
{
    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Mqtt;

    /// <inheritdoc/>
    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name)
    {
        switch (name)
        {
            case "JMSPriority":
                return PropertyValue.From((long)header.Priority);
            case "JMSDeliveryMode":
                return PropertyValue.From(header.Durable ? "PERSISTENT"u8 : "NON_PERSISTENT"u8);
            case "JMSExpiration":
                return PropertyValue.From(header.ExpiresAtMs);
            case "JMSRedelivered":
                return PropertyValue.From(header.DeliveryCount > 0);
            default:
                return MqttMessageMap.TryRead(payload, out MqttMessageMap message)
                    ? Find(message.Properties, name)
                    : PropertyValue.Null;
        }
    }

    private static PropertyValue Find(ReadOnlySpan<byte> raw, string name)
    {
        PropertyId? field = name switch
        {
            "JMSCorrelationID" => PropertyId.CorrelationData,
            "JMSReplyTo" => PropertyId.ResponseTopic,
            _ => null,
        };
        try
        {
            var properties = new PropertyReader(raw, PacketType.Publish);
            while (properties.Next())
            {
                if (field is not null ? properties.Id == field : IsNamed(properties, name))
                {
                    return PropertyValue.Untyped(field is null ? properties.Value : properties.Bytes);
                }
            }
        }
        catch (MqttException)
        {
            // Not written by this program.
        }

        return PropertyValue.Null;
    }

    private static bool IsNamed(in PropertyReader properties, string name)
    {
        if (properties.Id != PropertyId.UserProperty)
        {
            return false;
        }

        ReadOnlySpan<byte> own = properties.Bytes;
        return own.Length == Encoding.UTF8.GetByteCount(name) && Encoding.UTF8.GetString(own) == name;
    }
}
