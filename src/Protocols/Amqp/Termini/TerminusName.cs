using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>An address as a client writes it: a prefix or a capability may ask for a routing type.</summary>
/// <param name="Name">The name without prefix.</param>
/// <param name="RoutingType">What prefix or capability ask for; null: nothing.</param>
internal readonly record struct TerminusName(AddressName Name, RoutingType? RoutingType)
{
    /// <summary>The longest address text that is looked at.</summary>
    public const int CharsMax = 4096;

    /// <summary>Reads an address. Errors: invalid-field.</summary>
    public static TerminusName Parse(string? address, AmqpOptions options, string[]? capabilities = null)
    {
        RoutingType? routing = FromCapabilities(capabilities);
        string? text = address;
        if (text is not null && text.Length <= CharsMax)
        {
            RoutingType? fromPrefix = CutPrefix(ref text, options);
            if (fromPrefix is not null && routing is not null && fromPrefix != routing)
            {
                throw new AmqpException(
                    AmqpErrorCondition.InvalidField, $"the prefix of '{address}' contradicts the capabilities",
                    AmqpSeverity.Link);
            }

            routing ??= fromPrefix;
        }

        return AddressName.TryParse(text, out AddressName name, out string? error)
            ? new TerminusName(name, routing)
            : throw new AmqpException(AmqpErrorCondition.InvalidField, error, AmqpSeverity.Link);
    }

    private static RoutingType? FromCapabilities(string[]? capabilities)
    {
        foreach (string capability in capabilities ?? [])
        {
            if (capability is "queue" or "temporary-queue")
            {
                return Model.RoutingType.Anycast;
            }

            if (capability is "topic" or "temporary-topic")
            {
                return Model.RoutingType.Multicast;
            }
        }

        return null;
    }

    private static RoutingType? CutPrefix(ref string text, AmqpOptions options)
    {
        foreach (string prefix in options.AnycastPrefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                text = text[prefix.Length..];
                return Model.RoutingType.Anycast;
            }
        }

        foreach (string prefix in options.MulticastPrefixes)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                text = text[prefix.Length..];
                return Model.RoutingType.Multicast;
            }
        }

        return null;
    }
}
