using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Protocols.Amqp.Policy;

/// <summary>
/// The addresses that a group may use: names, of which those that end in <c>*</c> are beginnings; or patterns of
/// tokens, which count instead of the names. <c>${user}</c> and <c>${host}</c> stand for what the connection has.
/// Immutable.
/// </summary>
public sealed class AllowedAddresses
{
    /// <summary>None at all.</summary>
    public static readonly AllowedAddresses None = new([], []);

    private readonly string[] _names;
    private readonly string[] _patterns;

    private AllowedAddresses(string[] names, string[] patterns) => (_names, _patterns) = (names, patterns);

    /// <summary>Reads them as they are configured.</summary>
    /// <param name="names">Names with commas between; null: none.</param>
    /// <param name="patterns">Patterns with commas between; null or empty: the names count.</param>
    public static AllowedAddresses Of(string? names, string? patterns) => new(Split(names), Split(patterns));

    /// <summary>Of names as they are.</summary>
    public static AllowedAddresses OfNames(IEnumerable<string> names) => new([.. names], []);

    /// <summary>For a connection.</summary>
    internal AddressGate For(in PolicyWords words)
    {
        PolicyWords own = words;
        return _patterns.Length > 0
            ? new AddressGate([], [], [.. _patterns.Select(text => TokenPattern.Parse(text, own.Of))])
            : new AddressGate(
                [.. _names.Where(name => !name.EndsWith('*')).Select(name => own.Fill(name))],
                [.. _names.Where(name => name.EndsWith('*')).Select(name => own.Fill(name[..^1]))],
                []);
    }

    private static string[] Split(string? text) => (text ?? "").Split(
        ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>The addresses that one connection may use. Immutable.</summary>
internal sealed class AddressGate(string[] names, string[] beginnings, TokenPattern[] patterns)
{
    /// <summary>Whether an address is one of them; the empty one never is.</summary>
    public bool Allows(string address) => address.Length > 0
        && (Array.IndexOf(names, address) >= 0
            || Array.Exists(beginnings, text => address.StartsWith(text, StringComparison.Ordinal))
            || Array.Exists(patterns, pattern => pattern.Matches(TokenPattern.TokensOf(address))));
}
