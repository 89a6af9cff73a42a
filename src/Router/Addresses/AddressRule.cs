using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Addresses;

/// <summary>How the operator wants the addresses of a pattern to be treated. Immutable.</summary>
public sealed record AddressRule
{
    /// <summary>Tokens split at <c>.</c> and <c>/</c>: <c>*</c> is one, <c>#</c> none or more.</summary>
    public required string Pattern { get; init; }

    /// <summary>How messages are distributed.</summary>
    public AddressTreatment Treatment { get; init; } = AddressTreatment.Balanced;

    /// <summary>The phase that senders' messages get.</summary>
    public int IngressPhase { get; init; }

    /// <summary>The phase that receivers draw from.</summary>
    public int EgressPhase { get; init; }
}

/// <summary>The operator's rules; the most specific one that matches counts. Immutable.</summary>
internal sealed class AddressRules
{
    private static readonly char[] Separators = ['.', '/'];

    // What nodes say to each other goes to the nearest, whatever the operator's rules are.
    private const string OfNodes = "_$broker.";

    private static readonly AddressRule RuleOfNodes =
        new() { Pattern = OfNodes + "#", Treatment = AddressTreatment.Closest };

    private readonly (string[] Tokens, AddressRule Rule)[] _rules;
    private readonly AddressRule _otherwise;

    public AddressRules(IEnumerable<AddressRule> rules, AddressTreatment otherwise)
    {
        _otherwise = new AddressRule { Pattern = "#", Treatment = otherwise };
        _rules = [.. rules.Select(rule => (TokensOf(rule.Pattern), rule))];
        Array.Sort(_rules, (one, other) => Compare(one.Tokens, other.Tokens));
    }

    /// <summary>Whether a rule is what counts where the operator has said nothing.</summary>
    public bool IsDefault(AddressRule rule) => ReferenceEquals(rule, _otherwise);

    /// <summary>The rule for an address.</summary>
    public AddressRule For(string address)
    {
        if (address.StartsWith(OfNodes, StringComparison.Ordinal))
        {
            return RuleOfNodes;
        }

        if (_rules.Length == 0)
        {
            return _otherwise;
        }

        string[] tokens = TokensOf(address);
        foreach ((string[] pattern, AddressRule rule) in _rules)
        {
            if (Matches(pattern, tokens))
            {
                return rule;
            }
        }

        return _otherwise;
    }

    private static string[] TokensOf(string text) => text.TrimStart(Separators).Split(Separators);

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> tokens)
    {
        if (pattern.IsEmpty)
        {
            return tokens.IsEmpty;
        }

        if (pattern[0] == "#")
        {
            return Matches(pattern[1..], tokens) || (!tokens.IsEmpty && Matches(pattern, tokens[1..]));
        }

        return !tokens.IsEmpty && (pattern[0] == "*" || pattern[0] == tokens[0])
            && Matches(pattern[1..], tokens[1..]);
    }

    // Token by token: a name before *, and * before #; a longer pattern before its beginning.
    private static int Compare(string[] one, string[] other)
    {
        for (int i = 0; i < Math.Min(one.Length, other.Length); i++)
        {
            int difference = Rank(one[i]) - Rank(other[i]);
            if (difference != 0)
            {
                return difference;
            }
        }

        return other.Length - one.Length;
    }

    private static int Rank(string token) => token == "#" ? 2 : token == "*" ? 1 : 0;
}
