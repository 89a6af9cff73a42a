using Pillarbox.Broker.Streams.Groups.Records;

namespace Pillarbox.Broker.Streams.Groups;

/// <summary>
/// The settings that groups have of their own, by name: a group may have some before anybody is in it, and keeps them.
/// Kept in the groups' own stream, under a kind of key that the field's programs do not know and skip.
/// <code>
/// key   10000:2 group       value version:2 count:4 [name value], null = none
/// </code>
/// One owner: the loop.
/// </summary>
internal sealed class GroupConfigs(GroupOptions options, CoordinatorStore store)
{
    /// <summary>The kind of key.</summary>
    public const short Key = 10_000;

    private const short Version = 0;
    private readonly Dictionary<string, GroupConfig> _configs = [];

    /// <summary>Those that are given something.</summary>
    public IReadOnlyList<string> Groups => [.. _configs.Keys.Order(StringComparer.Ordinal)];

    public GroupConfig Of(string groupId) => _configs.GetValueOrDefault(groupId, GroupConfig.Default);

    /// <summary>Changes what a group is given: the function gets that and changes it, or returns a sentence why it
    /// cannot. Answers when it is on disk.</summary>
    public void Change(
        string groupId, Func<Dictionary<string, string>, string?> change, bool validateOnly,
        Action<GroupConfigResult> done)
    {
        GroupConfig before = Of(groupId);
        Dictionary<string, string> given = new(before.Given, StringComparer.Ordinal);
        string? problem = change(given);
        GroupConfig? made = problem is null ? GroupConfig.TryMake(given, out problem) : null;
        bool isTooMany = made is { Given.Count: > 0 } && !_configs.ContainsKey(groupId)
            && _configs.Count >= options.ConfigsMax;
        CoordinatorError error = groupId.Length == 0 || !GroupRequests.Fits(groupId) ? CoordinatorError.InvalidGroupId
            : made is null ? CoordinatorError.InvalidConfig
            : isTooMany ? CoordinatorError.PolicyViolation
            : CoordinatorError.None;
        if (error != CoordinatorError.None || validateOnly)
        {
            done(new GroupConfigResult(error, problem, before));
            return;
        }

        int partition = store.PartitionOf(groupId);
        error = store.Write(partition, ProducerStamp.None, [RecordOf(groupId, made!)], out long number);
        if (error != CoordinatorError.None)
        {
            done(new GroupConfigResult(error, null, before));
            return;
        }

        Set(groupId, made!);
        store.WhenDurable(partition, number, ok => done(ok
            ? new GroupConfigResult(CoordinatorError.None, null, made!)
            : GroupConfigResult.Of(CoordinatorError.CoordinatorNotAvailable)));
    }

    /// <summary>What is found at a start. Settings that this program cannot read any more are left out.</summary>
    public void Apply(string groupId, byte[]? value) =>
        Set(groupId, value is null ? GroupConfig.Default : Read(value));

    private void Set(string groupId, GroupConfig config)
    {
        if (config.Given.Count == 0)
        {
            _configs.Remove(groupId);
        }
        else
        {
            _configs[groupId] = config;
        }
    }

    private static CoordinatorRecord RecordOf(string groupId, GroupConfig config)
    {
        byte[] key = new FieldBuffer().Short(Key).String(groupId).ToArray();
        if (config.Given.Count == 0)
        {
            return new CoordinatorRecord(key, null);
        }

        FieldBuffer value = new FieldBuffer().Short(Version).Int(config.Given.Count);
        foreach ((string name, string text) in config.Given.OrderBy(each => each.Key, StringComparer.Ordinal))
        {
            value.String(name).String(text);
        }

        return new CoordinatorRecord(key, value.ToArray());
    }

    private static GroupConfig Read(byte[] bytes)
    {
        FieldSpan value = new(bytes);
        value.Short();
        Dictionary<string, string> given = [];
        for (int left = value.Count(4); left > 0; left--)
        {
            string name = value.String();
            string text = value.String();
            if (GroupConfig.All.TryGetValue(name, out StreamSetting? setting) && setting.Check(text) is null)
            {
                given[name] = text;
            }
        }

        return GroupConfig.TryMake(given, out _) ?? GroupConfig.Default;
    }
}
