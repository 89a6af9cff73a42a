using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// Headers of STOMP payloads for selectors, read where they lie: by name, and the JMS names of those that have one. All
/// values are untyped text, for STOMP has nothing else: with a number they compare as one. A payload that cannot be
/// read has no properties.
/// </summary>
public sealed class StompPropertyReader : IPropertyReader
{
    private const int NameBytesMax = 256;

    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Stomp;

    /// <inheritdoc/>
    public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name) => name switch
    {
        "JMSPriority" => PropertyValue.From((long)header.Priority),
        "JMSDeliveryMode" => PropertyValue.From(header.Durable ? "PERSISTENT"u8 : "NON_PERSISTENT"u8),
        "JMSExpiration" => PropertyValue.From(header.ExpiresAtMs),
        "JMSTimestamp" => PropertyValue.From(header.PublishedAtMs),
        "JMSRedelivered" => PropertyValue.From(header.DeliveryCount > 0),
        "JMSCorrelationID" => Find(payload, "correlation-id"),
        "JMSReplyTo" => Find(payload, "reply-to"),
        "JMSDestination" => Find(payload, "destination"),
        "JMSType" => Find(payload, "type"),
        _ => Find(payload, name),
    };

    private static PropertyValue Find(ReadOnlySpan<byte> payload, string name)
    {
        if (Encoding.UTF8.GetByteCount(name) > NameBytesMax)
        {
            return PropertyValue.Null;
        }

        Span<byte> wanted = stackalloc byte[NameBytesMax];
        wanted = wanted[..Encoding.UTF8.GetBytes(name, wanted)];
        KeptLines lines = new(payload);
        while (lines.MoveNext())
        {
            if (HeaderText.Plain(lines.Name).SequenceEqual(wanted))
            {
                return PropertyValue.Untyped(HeaderText.Plain(lines.Value));
            }
        }

        return PropertyValue.Null;
    }
}
