using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// The filters of a source that the node knows (the filter registry of apache.org), and the set that it answers.
/// </summary>
internal sealed record SourceFilters
{
    /// <summary>A JMS selector, or null.</summary>
    public string? Selector { get; init; }

    /// <summary>Whether what the same client publishes is left out.</summary>
    public bool NoLocal { get; init; }

    /// <summary>Where a receiver on a stream begins; null: nothing is said.</summary>
    public StreamStart? Start { get; init; }

    /// <summary>The selector that says so; null: none does. Of what is no stream it would choose nothing.</summary>
    public string? StartSelector { get; init; }

    /// <summary>The same filters with the one that says where to begin: what is in force for a stream.</summary>
    public AmqpMap? AppliedToStream { get; init; }

    /// <summary>The filters in force, for the answer; null when there are none.</summary>
    public AmqpMap? Applied { get; init; }

    /// <summary>
    /// Takes out of the filter-set what is known; the rest is not answered, which tells the peer that it is not
    /// applied.
    /// </summary>
    public static SourceFilters Parse(AmqpMap? filters, long nowMs)
    {
        string? selector = null;
        string? startSelector = null;
        StreamStart? start = null;
        bool noLocal = false;
        var applied = new AmqpMap();
        var appliedToStream = new AmqpMap();
        foreach (KeyValuePair<AmqpValue, AmqpValue> filter in filters ?? [])
        {
            if (StreamFilters.TryRead(filter, nowMs, out StreamStart found))
            {
                start = found;
                startSelector ??= filter.Value.DescriptorCode == Descriptors.SelectorFilter
                    ? filter.Value.Undescribed.AsText()
                    : null;
                appliedToStream.Add(filter.Key, filter.Value);
                continue;
            }

            switch (filter.Value.DescriptorCode)
            {
                case Descriptors.SelectorFilter:
                    selector = filter.Value.Undescribed.AsText() ?? throw new AmqpException(
                        AmqpErrorCondition.InvalidField, "a selector filter must hold a string", AmqpSeverity.Link);
                    applied.Add(filter.Key, filter.Value);
                    break;
                case Descriptors.NoLocalFilter:
                    noLocal = true;
                    applied.Add(filter.Key, filter.Value);
                    break;
            }
        }

        foreach (KeyValuePair<AmqpValue, AmqpValue> filter in applied)
        {
            appliedToStream.Add(filter.Key, filter.Value);
        }

        return new SourceFilters
        {
            Selector = selector,
            NoLocal = noLocal,
            Start = start,
            StartSelector = startSelector,
            AppliedToStream = appliedToStream.Count == 0 ? null : appliedToStream,
            Applied = applied.Count == 0 ? null : applied,
        };
    }

    /// <summary>The filter-set of a subscription that is looked up by name.</summary>
    public static AmqpMap? OfSelector(string? selector)
    {
        if (selector is null)
        {
            return null;
        }

        var filters = new AmqpMap();
        filters.AddSymbol(
            "apache.org:selector-filter:string",
            AmqpValue.Described(Descriptors.SelectorFilter, AmqpValue.String(selector)));
        return filters;
    }
}
