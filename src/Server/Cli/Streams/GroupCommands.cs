using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Streams;

/// <summary><c>pillarbox group …</c>: the groups that read streams.</summary>
internal static class GroupCommands
{
    public const string Path = "/api/v1/groups";

    public static Command Create() => new(
        "group", "Groups that read streams: list, show, alter, delete, reset-offsets.")
    {
        List(), Show(), Alter(), Delete(), GroupReset.Create(),
    };

    /// <summary>The argument that names a group.</summary>
    public static Argument<string> Name() => new("group") { Description = "The group's name." };

    /// <summary>The path of one group.</summary>
    public static string One(string group) => $"{Path}/{ApiClient.Part(group)}";

    private static Command List()
    {
        Option<string?> filter = new("--filter") { Description = "Only groups whose name holds this text." };
        return new ApiVerb("list", "List groups.") { filter }.Reads(async (api, parsed, cancellation) =>
        {
            string query = parsed.GetValue(filter) is { } text ? $"?filter={ApiClient.Part(text)}" : "";
            var groups = await api.ListAsync(Path + query, ApiJson.Default.PageGroupResource, cancellation);
            var page = new Page<GroupResource>(groups, groups.Count, 1, groups.Count);
            return new Reading(
                () => Output.Json(page, ApiJson.Default.PageGroupResource),
                () => Output.Table(["name", "type", "state", "members#", "lag#"], groups.Select(g => (string[])
                    [g.Name, g.Type, g.State, $"{g.MemberCount}", $"{g.Lag}"])));
        });
    }

    private static Command Show()
    {
        Argument<string> name = Name();
        return new ApiVerb("show", "Show one group with its members, offsets and lag.") { name }.Reads(
            async (api, parsed, cancellation) =>
            {
                GroupResource group = await api.GetAsync(
                    One(parsed.GetValue(name)!), ApiJson.Default.GroupResource, cancellation);
                return new Reading(
                    () => Output.Json(group, ApiJson.Default.GroupResource), () => PrintGroup(group));
            });
    }

    private static void PrintGroup(GroupResource group)
    {
        Output.Fields(
        [
            ("name", group.Name), ("type", group.Type), ("state", group.State), ("lag", $"{group.Lag}"),
            ("settings", group.Config.Count == 0 ? "-" : string.Join(
                ' ', group.Config.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}={c.Value}"))),
        ]);
        if (group.Members is { Count: > 0 } members)
        {
            Console.WriteLine();
            Output.Table(["member", "client", "from", "instance", "partitions"], members.Select(m => (string[])
            [
                m.MemberId, m.ClientId, m.Host, m.InstanceId ?? "-",
                string.Join(' ', m.Assigned.Select(p => $"{p.Stream}:{p.Partition}")),
            ]));
        }

        if (group.Offsets is { Count: > 0 } offsets)
        {
            Console.WriteLine();
            Output.Table(
                ["stream", "partition#", "committed#", "end#", "lag#", "member"], offsets.Select(o => (string[])
                [
                    o.Stream, $"{o.Partition}", $"{o.Offset}", $"{o.EndOffset}", $"{o.Lag}", o.MemberId ?? "-",
                ]));
        }
    }

    private static Command Alter()
    {
        Argument<string> name = Name();
        Option<string[]> config = new("--config")
        {
            Description = "A setting by its name, as in share.auto.offset.reset=earliest; repeatable.",
        };
        Option<string[]> unset = new("--unset") { Description = "Give a setting its default again; repeatable." };
        const string What = "Change a group's settings, also before anybody is in it.";
        return new ApiVerb("alter", What) { name, config, unset }.Does((api, parsed, cancellation) =>
        {
            Dictionary<string, string> set = StreamSettings.Read(parsed.GetValue(config) ?? []);
            string[] reset = parsed.GetValue(unset) ?? [];
            return set.Count + reset.Length == 0
                ? throw new CommandException(ExitCode.Usage, "nothing to change: give --config or --unset")
                : api.PatchAsync(
                    One(parsed.GetValue(name)!), new GroupChange { Set = set, Reset = reset },
                    ApiJson.Default.GroupChange, cancellation);
        });
    }

    private static Command Delete()
    {
        Argument<string> name = Name();
        return new ApiVerb("delete", "Delete a group that has no members, with its offsets.") { name }.Does(
            (api, parsed, cancellation) => api.SendAsync(
                HttpMethod.Delete, One(parsed.GetValue(name)!), cancellation));
    }
}
