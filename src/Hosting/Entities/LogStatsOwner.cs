using System.Collections.Immutable;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>How many lines each module of the router's log has had, by level. Any thread.</summary>
internal sealed class LogStatsOwner(ILogRules rules) : IEntityOwner
{
    /// <inheritdoc/>
    public string Type => "logStats";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities => [.. RouterConfLog.Modules.Select(EntityOf)];

    private ConfiguredEntity EntityOf(string module)
    {
        ImmutableDictionary<string, AmqpValue> attributes = Enum.GetValues<RouterLogLevel>().Aggregate(
            ImmutableDictionary<string, AmqpValue>.Empty,
            (so, level) => so.Add($"{level.ToString().ToLowerInvariant()}Count", rules.CountOf(module, level)));
        return new ConfiguredEntity("logStats", $"logStats/{module}", $"logStats/{module}", attributes);
    }
}
