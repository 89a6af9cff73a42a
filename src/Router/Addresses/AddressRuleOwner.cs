using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.LinkState;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Addresses;

/// <summary>The operator's rules for addresses, which come and go while the node runs: an address that is in use stays
/// as it is until nobody uses it any more. Any thread.</summary>
internal sealed class AddressRuleOwner : IEntityOwner
{
    private const int PhaseMax = 9;
    private const int RulesMax = 100_000;

    private readonly AddressTreatment _otherwise;
    private readonly Lock _gate = new();
    private ImmutableArray<Named> _rules;
    private volatile AddressRules _current;
    private int _last;

    public AddressRuleOwner(IEnumerable<AddressRule> rules, AddressTreatment otherwise)
    {
        _otherwise = otherwise;
        _rules = [.. rules.Select(rule => new Named(rule.Name ?? NextName(), rule))];
        _current = new AddressRules(_rules.Select(named => named.Rule), otherwise);
    }

    /// <inheritdoc/>
    public string Type => "router.config.address";

    /// <summary>The rules as they are now.</summary>
    public AddressRules Rules => _current;

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities
    {
        get
        {
            lock (_gate)
            {
                return [.. _rules.Select(EntityOf)];
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<CommandResult> CreateAsync(CreateEntity command)
    {
        if (!TryRule(command.Attributes, out AddressRule? rule, out string fault))
        {
            return new(new CommandResult(fault));
        }

        lock (_gate)
        {
            string name = command.Name ?? NextName();
            string? refusal = _rules.Any(other => other.Name == name) ? $"There is an address '{name}' already"
                : _rules.Any(other => other.Rule.Pattern == rule.Pattern)
                    ? $"There is a rule for '{rule.Pattern}' already"
                : _rules.Length >= RulesMax ? $"There are {RulesMax} rules already"
                : null;
            if (refusal is not null)
            {
                return new(new CommandResult(refusal));
            }

            var named = new Named(name, rule);
            Swap(_rules.Add(named));
            return new(CommandResult.Done(EntityOf(named)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<CommandResult> DeleteAsync(DeleteEntity command)
    {
        lock (_gate)
        {
            ImmutableArray<Named> left = _rules.RemoveAll(named => named.Name == command.Entity.Name);
            if (left.Length == _rules.Length)
            {
                return new(new CommandResult($"There is no address '{command.Entity.Name}'",
                    ManagementStatus.NotFound));
            }

            Swap(left);
            return new(CommandResult.Done());
        }
    }

    private void Swap(ImmutableArray<Named> rules)
    {
        _rules = rules;
        _current = new AddressRules(rules.Select(named => named.Rule), _otherwise);
    }

    private string NextName() => $"address/{_last++}";

    private static bool TryRule(
        ImmutableDictionary<string, AmqpValue> attributes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)]
        out AddressRule? rule, out string fault)
    {
        rule = null;
        string? pattern = attributes.GetValueOrDefault("pattern").AsText()
            ?? (attributes.GetValueOrDefault("prefix").AsText() is { } prefix ? prefix.TrimEnd('.', '/') + "/#" : null);
        fault = string.IsNullOrEmpty(pattern) ? "Either 'prefix' or 'pattern' has to be given" : "";
        bool isWaypoint = Flag(attributes, "waypoint");
        long ingress = Number(attributes, "ingressPhase") ?? 0;
        long egress = Number(attributes, "egressPhase") ?? (isWaypoint ? 1 : 0);
        long? priority = Number(attributes, "priority");
        bool hasFallback = Flag(attributes, "enableFallback");
        foreach ((string name, long value) in (ReadOnlySpan<(string, long)>)
            [("ingressPhase", ingress), ("egressPhase", egress), ("priority", priority ?? 0)])
        {
            fault = value is < 0 or > PhaseMax ? $"'{name}' is from 0 to {PhaseMax}, and not {value}" : fault;
        }

        fault = hasFallback && ingress + egress > 0
            ? "A fallback goes with phase 0 only, and not with waypoint" : fault;
        if (fault.Length > 0)
        {
            return false;
        }

        rule = new AddressRule
        {
            Pattern = pattern!,
            IsPrefix = attributes.GetValueOrDefault("pattern").AsText() is null,
            Treatment = attributes.GetValueOrDefault("distribution").AsText() switch
            {
                "multicast" => AddressTreatment.Multicast,
                "closest" => AddressTreatment.Closest,
                "unavailable" => AddressTreatment.Unavailable,
                _ => AddressTreatment.Balanced,
            },
            IngressPhase = (int)ingress,
            EgressPhase = (int)egress,
            HasFallback = hasFallback,
            Priority = (int?)priority,
        };
        return true;
    }

    private static bool Flag(ImmutableDictionary<string, AmqpValue> attributes, string name) =>
        attributes.TryGetValue(name, out AmqpValue value) && value.AsBoolean();

    private static long? Number(ImmutableDictionary<string, AmqpValue> attributes, string name) =>
        attributes.TryGetValue(name, out AmqpValue value) && value.TryGetInt64(out long number) ? number : null;

    private static ConfiguredEntity EntityOf(Named named) => new(
        "router.config.address", $"router.config.address/{named.Name}", named.Name,
        ImmutableDictionary<string, AmqpValue>.Empty
            .Add("prefix", named.Rule.IsPrefix ? named.Rule.Pattern[..^"/#".Length] : AmqpValue.Null)
            .Add("pattern", named.Rule.IsPrefix ? AmqpValue.Null : named.Rule.Pattern)
            .Add("distribution", named.Rule.Treatment.ToString().ToLowerInvariant())
            .Add("waypoint", named.Rule.IngressPhase != named.Rule.EgressPhase)
            .Add("ingressPhase", (long)named.Rule.IngressPhase)
            .Add("egressPhase", (long)named.Rule.EgressPhase)
            .Add("enableFallback", named.Rule.HasFallback)
            .Add("priority", (long)(named.Rule.Priority ?? -1)));

    private sealed record Named(string Name, AddressRule Rule);
}
