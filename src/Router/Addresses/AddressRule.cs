using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Brokers;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Addresses;

/// <summary>How the operator wants the addresses of a pattern to be treated. Immutable.</summary>
public sealed record AddressRule
{
    /// <summary>Tokens split at <c>.</c> and <c>/</c>: <c>*</c> is one, <c>#</c> none or more.</summary>
    public required string Pattern { get; init; }

    /// <summary>What the operator calls it; null: nothing.</summary>
    public string? Name { get; init; }

    /// <summary>Whether the operator gave the pattern's beginning, and no pattern.</summary>
    public bool IsPrefix { get; init; }

    /// <summary>How messages are distributed.</summary>
    public AddressTreatment Treatment { get; init; } = AddressTreatment.Balanced;

    /// <summary>The phase that senders' messages get.</summary>
    public int IngressPhase { get; init; }

    /// <summary>The phase that receivers draw from.</summary>
    public int EgressPhase { get; init; }

    /// <summary>Whether what nobody takes goes to the address's fallback destinations.</summary>
    public bool HasFallback { get; init; }

    /// <summary>The priority that its messages go by between routers, 0 to 9; null: their own.</summary>
    public int? Priority { get; init; }
}

/// <summary>The operator's rules; the most specific one that matches counts. Immutable.</summary>
internal sealed class AddressRules
{
    // What nodes say to each other goes to the nearest, or to all that a mark is of, whatever the operator's rules are.
    private const string OfNodes = "_$broker.";

    private static readonly AddressRule RuleOfNodes =
        new() { Pattern = OfNodes + "#", Treatment = AddressTreatment.Closest };

    private static readonly AddressRule RuleOfMarks =
        new() { Pattern = OfNodes + "#", Treatment = AddressTreatment.Multicast };

    private readonly (TokenPattern Pattern, AddressRule Rule)[] _rules;
    private readonly AddressRule _otherwise;

    public AddressRules(IEnumerable<AddressRule> rules, AddressTreatment otherwise)
    {
        _otherwise = new AddressRule { Pattern = "#", Treatment = otherwise };
        _rules = [.. rules.Select(rule => (TokenPattern.Parse(rule.Pattern), rule))];
        Array.Sort(_rules, (one, other) => TokenPattern.Compare(one.Pattern, other.Pattern));
    }

    /// <summary>Whether a rule is what counts where the operator has said nothing.</summary>
    public bool IsDefault(AddressRule rule) => ReferenceEquals(rule, _otherwise);

    /// <summary>The rule for an address.</summary>
    public AddressRule For(string address)
    {
        if (address.StartsWith(OfNodes, StringComparison.Ordinal))
        {
            return BrokerMark.Is(address) ? RuleOfMarks : RuleOfNodes;
        }

        if (_rules.Length == 0)
        {
            return _otherwise;
        }

        string[] tokens = TokenPattern.TokensOf(address);
        foreach ((TokenPattern pattern, AddressRule rule) in _rules)
        {
            if (pattern.Matches(tokens))
            {
                return rule;
            }
        }

        return _otherwise;
    }
}
