using System.Collections.Immutable;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Hosting.Entities;

/// <summary>The modules of the router's log: what of each is written can be changed while the node runs. Any
/// thread.</summary>
internal sealed class LogOwner(ILogRules rules) : IEntityOwner
{
    /// <inheritdoc/>
    public string Type => "log";

    /// <inheritdoc/>
    public IReadOnlyList<ConfiguredEntity> Entities =>
        [.. RouterConfLog.Modules.Select(module => EntityOf(module, rules.RuleOf(module)))];

    /// <inheritdoc/>
    public ValueTask<CommandResult> UpdateAsync(UpdateEntity command) => RequestEntity.TryAsync(() =>
    {
        string module = command.Entity.Attributes["module"].AsText()!;
        RouterConfLog before = rules.RuleOf(module) ?? new RouterConfLog(module, null, null);
        if (command.Changes.TryGetValue("includeSource", out AmqpValue source) && source.AsBoolean())
        {
            return new(new CommandResult("Lines do not name places in the source"));
        }

        ImmutableDictionary<string, AmqpValue> changes =
            command.Changes.Remove("includeSource").SetItem("module", module);
        RouterConfLog stated = RouterConfLog.Read(RequestEntity.ReaderOf(Type, null, changes));
        var rule = new RouterConfLog(
            module,
            changes.ContainsKey("enable") ? stated.Enabled : before.Enabled,
            changes.ContainsKey("outputFile") ? stated.OutputFile : before.OutputFile)
        {
            HasTime = stated.HasTime ?? before.HasTime,
        };
        try
        {
            rules.Set(rule);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(new CommandResult(e.Message));
        }

        return new(CommandResult.Done(EntityOf(module, rule)));
    });

    private static ConfiguredEntity EntityOf(string module, RouterConfLog? rule)
    {
        ImmutableDictionary<string, AmqpValue> attributes = ImmutableDictionary<string, AmqpValue>.Empty
            .Add("module", module)
            .Add("enable", rule?.Enabled is { } levels ? TextOf(levels) : "default");
        if (rule?.HasTime is { } hasTime)
        {
            attributes = attributes.Add("includeTimestamp", hasTime);
        }

        return new ConfiguredEntity("log", $"log/{module}", $"log/{module}",
            rule?.OutputFile is { } file ? attributes.Add("outputFile", file) : attributes);
    }

    // A level with all that are above it is written with '+'.
    private static string TextOf(IReadOnlySet<RouterLogLevel> levels)
    {
        if (levels.Count == 0)
        {
            return "none";
        }

        RouterLogLevel least = levels.Min();
        return levels.Count > 1 && levels.Count == RouterLogLevel.Critical - least + 1
            ? $"{NameOf(least)}+"
            : string.Join(", ", levels.Order().Select(NameOf));
    }

    private static string NameOf(RouterLogLevel level) => level.ToString().ToLowerInvariant();
}
