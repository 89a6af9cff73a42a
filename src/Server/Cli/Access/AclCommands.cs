using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Access;

/// <summary><c>pillarbox acl …</c>: rules beside the configured permissions, those of Kafka's tools too.</summary>
internal static class AclCommands
{
    private const string Path = "/api/v1/access-rules";

    public static Command Create() => new(
        "acl", "Access rules beside the configured permissions, for all protocols: list, add, remove.")
    {
        List(), Add(), Remove(),
    };

    private static Command List()
    {
        Option<string?> filter = new("--filter") { Description = "Only rules whose name holds this text." };
        return new ApiVerb("list", "List rules.") { filter }.Reads(async (api, parsed, cancellation) =>
        {
            string query = parsed.GetValue(filter) is { } text ? $"?filter={ApiClient.Part(text)}" : "";
            var rules = await api.ListAsync(Path + query, ApiJson.Default.PageAccessRuleResource, cancellation);
            var page = new Page<AccessRuleResource>(rules, rules.Count, 1, rules.Count);
            return new Reading(() => Output.Json(page, ApiJson.Default.PageAccessRuleResource), () => Print(rules));
        });
    }

    private static Command Add()
    {
        var flags = new AclFlags();
        Option<bool> prefix = new("--prefix") { Description = "The name is the beginning of names." };
        Option<bool> deny = new("--deny") { Description = "Forbid it: that counts more than whatever allows it." };
        var verb = new ApiVerb("add", "Allow something, or forbid it; a rule that is there already stays.")
        {
            prefix, deny,
        };
        flags.AddTo(verb, needsAll: true);
        return verb.Does((api, parsed, cancellation) =>
        {
            (string kind, string name) = flags.ResourceOf(parsed)
                ?? throw new CommandException(ExitCode.Usage, $"say what it is about: {AclFlags.Resources}");
            (string? user, string? role) = flags.SubjectOf(parsed)
                ?? throw new CommandException(ExitCode.Usage, $"say for whom: {AclFlags.Subjects}");
            AccessRuleResource[] rules =
            [
                .. flags.OperationsOf(parsed).Select(operation => new AccessRuleResource
                {
                    Kind = kind,
                    Name = name,
                    IsPrefix = parsed.GetValue(prefix),
                    User = user,
                    Role = role,
                    Operation = operation,
                    IsDenial = parsed.GetValue(deny),
                }),
            ];
            return api.SendAsync(
                HttpMethod.Post, Path, rules, ApiJson.Default.IReadOnlyListAccessRuleResource, cancellation);
        });
    }

    private static Command Remove()
    {
        var flags = new AclFlags();
        Option<bool?> prefix = new("--prefix") { Description = "Only beginnings of names (true), or none (false)." };
        Option<bool?> deny = new("--deny") { Description = "Only rules that forbid (true), or that allow (false)." };
        var verb = new ApiVerb("remove", "Remove the rules that are as said, and print them.") { prefix, deny };
        flags.AddTo(verb, needsAll: false);
        return verb.Reads(async (api, parsed, cancellation) =>
        {
            var removed = new List<AccessRuleResource>();
            foreach (string query in QueriesOf(flags, parsed, parsed.GetValue(prefix), parsed.GetValue(deny)))
            {
                removed.AddRange(await api.DeleteAsync(
                    Path + query, ApiJson.Default.IReadOnlyListAccessRuleResource, cancellation));
            }

            return removed.Count == 0
                ? throw new CommandException(ExitCode.NotFound, "no rule is as you said; nothing was changed")
                : new Reading(
                    () => Output.Json(removed, ApiJson.Default.IReadOnlyListAccessRuleResource), () => Print(removed));
        });
    }

    /// <summary>One request for each operation; one for all when none is named.</summary>
    private static IEnumerable<string> QueriesOf(AclFlags flags, ParseResult parsed, bool? prefix, bool? deny)
    {
        var terms = new List<string>();
        if (flags.ResourceOf(parsed) is var (kind, name))
        {
            terms.Add($"kind={kind}");
            terms.Add($"name={ApiClient.Part(name)}");
        }

        (string? user, string? role) = flags.SubjectOf(parsed) ?? default;
        AddTo(terms, "user", user);
        AddTo(terms, "role", role);
        AddTo(terms, "isPrefix", prefix?.ToString().ToLowerInvariant());
        AddTo(terms, "isDenial", deny?.ToString().ToLowerInvariant());
        string[] operations = [.. flags.OperationsOf(parsed)];
        return operations.Length == 0
            ? ["?" + string.Join('&', terms)]
            : operations.Select(operation => "?" + string.Join('&', [.. terms, $"operation={operation}"]));
    }

    private static void AddTo(List<string> terms, string name, string? value)
    {
        if (value is not null)
        {
            terms.Add($"{name}={ApiClient.Part(value)}");
        }
    }

    private static void Print(IReadOnlyList<AccessRuleResource> rules) => Output.Table(
        ["effect", "operation", "kind", "name", "for"], rules.Select(rule => (string[])
        [
            rule.IsDenial ? "deny" : "allow", rule.Operation, rule.Kind, rule.IsPrefix ? rule.Name + "…" : rule.Name,
            rule.User is { } user ? $"user {user}" : rule.Role is { } role ? $"role {role}" : "everybody",
        ]));
}
