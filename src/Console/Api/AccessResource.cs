using Pillarbox.Broker.Security;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/access-rules</c>: the rules beside the configured permissions, those of Kafka's tools too.
/// </summary>
internal static class AccessResource
{
    private const string All = "/api/v1/access-rules";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", All, "Rules beside the configured permissions.", ListAsync)
        {
            Answer = ApiJson.Default.PageAccessRuleResource,
            Query = Paging.Parameters,
        },
        new("POST", All, "Adds rules, all or none; one that is there already stays.", AddAsync)
        {
            Body = ApiJson.Default.IReadOnlyListAccessRuleResource,
            Status = 204,
        },
        new("DELETE", All, "Removes the rules that are as said, and answers with them.", RemoveAsync)
        {
            Answer = ApiJson.Default.IReadOnlyListAccessRuleResource,
            Query =
            [
                new("kind", "string", "Only rules of addresses (address), group, transaction or space."),
                new("name", "string", "Only rules with this name, or beginning of names."),
                new("isPrefix", "boolean", "Only rules whose name is a beginning of names, or is none."),
                new("user", "string", "Only rules for this user."),
                new("role", "string", "Only rules for this role."),
                new("operation", "string", "Only rules for this operation."),
                new("isDenial", "boolean", "Only rules that forbid, or that allow."),
            ],
        },
    ];

    private static Task ListAsync(ApiRequest request)
    {
        IReadOnlyList<AccessRule> rules =
            request.Services.Broker.AccessManagement.ListRules(request.Who, request.Space);
        Page<AccessRuleResource> page = Paging.Cut(request, rules, rule => rule.Name, Show);
        return request.AnswerAsync(page, ApiJson.Default.PageAccessRuleResource);
    }

    private static async Task AddAsync(ApiRequest request)
    {
        IReadOnlyList<AccessRuleResource> wanted =
            await request.BodyAsync(ApiJson.Default.IReadOnlyListAccessRuleResource);
        AccessRule[] rules = [.. wanted.Select(RuleOf)];
        request.Services.Broker.AccessManagement.AddRules(request.Who, request.Space, rules);
        await request.AnswerAsync();
    }

    private static Task RemoveAsync(ApiRequest request)
    {
        string? kind = request.Text("kind");
        string? operation = request.Text("operation");
        var wanted = (
            Kind: kind is null ? null : (ResourceKind?)KindOf(kind),
            Name: request.Text("name"),
            IsPrefix: FlagOrNull(request, "isPrefix"),
            User: request.Text("user"),
            Role: request.Text("role"),
            Operation: operation is null ? null : (RuleOperation?)OperationOf(operation),
            IsDenial: FlagOrNull(request, "isDenial"));
        if (wanted == default)
        {
            throw ApiRequest.Invalid("say which rules: by kind, name, user, role or operation");
        }

        IReadOnlyList<AccessRule> removed = request.Services.Broker.AccessManagement.RemoveRules(
            request.Who, request.Space, rule =>
                (wanted.Kind is null || rule.Kind == wanted.Kind)
                && (wanted.Name is null || rule.Name == wanted.Name)
                && (wanted.IsPrefix is null || rule.IsPrefix == wanted.IsPrefix)
                && (wanted.User is null || (rule.Subject == RuleSubject.User && rule.SubjectName == wanted.User))
                && (wanted.Role is null || (rule.Subject == RuleSubject.Role && rule.SubjectName == wanted.Role))
                && (wanted.Operation is null || rule.Operation == wanted.Operation)
                && (wanted.IsDenial is null || rule.IsDenial == wanted.IsDenial));
        return request.AnswerAsync([.. removed.Select(Show)], ApiJson.Default.IReadOnlyListAccessRuleResource);
    }

    private static bool? FlagOrNull(ApiRequest request, string name) =>
        request.Text(name) is null ? null : request.Flag(name);

    private static AccessRule RuleOf(AccessRuleResource? wanted)
    {
        if (wanted?.Name is null || wanted.Kind is null || wanted.Operation is null)
        {
            throw ApiRequest.Invalid("a rule has a kind, a name and an operation");
        }

        (RuleSubject subject, string name) = (wanted.User, wanted.Role) switch
        {
            (null, null) => (RuleSubject.Everybody, ""),
            ({ } user, null) => (RuleSubject.User, user),
            (null, { } role) => (RuleSubject.Role, role),
            _ => throw ApiRequest.Invalid("a rule is for a user, for a role, or, without both, for everybody"),
        };
        ResourceKind kind = KindOf(wanted.Kind);
        if (kind == ResourceKind.Space && (wanted.Name != AccessRule.EveryName || wanted.IsPrefix))
        {
            throw ApiRequest.Invalid("a rule of the address space as a whole has the name *");
        }

        return new AccessRule(
            kind, wanted.Name, wanted.IsPrefix, subject, name, OperationOf(wanted.Operation), wanted.IsDenial);
    }

    private static ResourceKind KindOf(string text) =>
        Find(text, Enum.GetValues<ResourceKind>()) ?? throw Unknown("kind", text, Enum.GetValues<ResourceKind>());

    private static RuleOperation OperationOf(string text) =>
        Find(text, Enum.GetValues<RuleOperation>())
        ?? throw Unknown("operation", text, Enum.GetValues<RuleOperation>());

    private static T? Find<T>(string text, T[] values)
        where T : struct, Enum
    {
        int index = Array.FindIndex(values, value => CamelCase($"{value}") == text);
        return index < 0 ? null : values[index];
    }

    private static Exception Unknown<T>(string what, string text, T[] values)
        where T : struct, Enum =>
        ApiRequest.Invalid($"there is no {what} '{text}': {string.Join(", ", values.Select(v => CamelCase($"{v}")))}");

    private static AccessRuleResource Show(AccessRule rule) => new()
    {
        Kind = CamelCase($"{rule.Kind}"),
        Name = rule.Name,
        IsPrefix = rule.IsPrefix,
        User = rule.Subject == RuleSubject.User ? rule.SubjectName : null,
        Role = rule.Subject == RuleSubject.Role ? rule.SubjectName : null,
        Operation = CamelCase($"{rule.Operation}"),
        IsDenial = rule.IsDenial,
    };

    private static string CamelCase(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
