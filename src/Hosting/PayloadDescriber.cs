using System.Text;
using System.Text.Unicode;
using Pillarbox.ConsoleApi;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Hosting;

/// <summary>
/// Shows payloads to operators: what can be read as text is, what cannot be read is left out. Never throws.
/// </summary>
internal static class PayloadDescriber
{
    public static PayloadText Describe(PayloadFormat format, ReadOnlyMemory<byte> head)
    {
        try
        {
            return format == PayloadFormat.Amqp ? Whole(head.Span) : PayloadText.Unknown;
        }
        catch (AmqpException)
        {
            // The head ends within a section, or the sender wrote nonsense: the bytes themselves are shown.
            return PayloadText.Unknown;
        }
    }

    private static PayloadText Whole(ReadOnlySpan<byte> payload)
    {
        AmqpMessage message = AmqpMessage.Read(payload);
        return new PayloadText(BodyOf(message), message.Properties?.ContentType, PropertiesOf(message));
    }

    private static string? BodyOf(AmqpMessage message) => message.BodyKind switch
    {
        BodyKind.Data => Utf8.IsValid(message.Data.Span) ? Encoding.UTF8.GetString(message.Data.Span) : null,
        BodyKind.Value => message.Value.AsText() ?? message.Value.ToString(),
        BodyKind.Sequence => message.Value.ToString(),
        _ => null,
    };

    private static Dictionary<string, string> PropertiesOf(AmqpMessage message)
    {
        var properties = new Dictionary<string, string>();
        foreach ((AmqpValue key, AmqpValue value) in message.ApplicationProperties ?? [])
        {
            properties[key.AsText() ?? key.ToString()] = value.AsText() ?? value.ToString();
        }

        return properties;
    }
}
