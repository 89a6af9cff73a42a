using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Security;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/access-rules</c> and <c>/api/v1/quotas</c>: what Kafka's tools have set, listed.</summary>
internal static class AccessResource
{
    private const string Everybody = "<default>";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/access-rules", "Rules beside the configured permissions.", ListRulesAsync)
        {
            Answer = ApiJson.Default.PageAccessRuleResource,
            Query = Paging.Parameters,
        },
        new("GET", "/api/v1/quotas", "Quotas of users and client ids.", ListQuotasAsync)
        {
            Answer = ApiJson.Default.PageQuotaResource,
            Query = Paging.Parameters,
        },
    ];

    private static Task ListRulesAsync(ApiRequest request)
    {
        IReadOnlyList<AccessRule> rules = request.Management.ListAccessRules(request.Who, request.Space);
        Page<AccessRuleResource> page = Paging.Cut(request, rules, rule => rule.Name, Show);
        return request.AnswerAsync(page, ApiJson.Default.PageAccessRuleResource);
    }

    private static Task ListQuotasAsync(ApiRequest request)
    {
        var quotas = request.Management.ListQuotas(request.Who, request.Space);
        Page<QuotaResource> page = Paging.Cut(
            request, quotas, quota => $"{Show(quota.Key.User)} {Show(quota.Key.Client)}", Show);
        return request.AnswerAsync(page, ApiJson.Default.PageQuotaResource);
    }

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

    private static QuotaResource Show(KeyValuePair<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>> quota) => new()
    {
        User = Show(quota.Key.User),
        ClientId = Show(quota.Key.Client),
        Values = quota.Value.ToDictionary(value => QuotaNames.Of(value.Key), value => value.Value),
    };

    private static string? Show(QuotaPart part) => part.Scope == QuotaScope.Default ? Everybody : part.Name;

    private static string CamelCase(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);
}
