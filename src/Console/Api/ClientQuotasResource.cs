using Pillarbox.Broker.Quotas;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/quotas</c>: how much users and client ids may take, what Kafka's tools have set too.</summary>
internal static class ClientQuotasResource
{
    private const string All = "/api/v1/quotas";
    private const string Everybody = "<default>";

    public static readonly ApiRoute[] Routes =
    [
        new("GET", All, "Quotas of users and client ids.", ListAsync)
        {
            Answer = ApiJson.Default.PageQuotaResource,
            Query = Paging.Parameters,
        },
        new("PUT", All, "Sets quotas of a user, a client id, or both; others of the same stay.", SetAsync)
        {
            Body = ApiJson.Default.QuotaResource,
            Status = 204,
        },
        new("DELETE", All, "Removes quotas of a user, a client id, or both.", RemoveAsync)
        {
            Status = 204,
            Query =
            [
                new("user", "string", $"The user; {Everybody}: everybody without an own quota."),
                new("clientId", "string", "The client id, in the same way."),
                new("quota", "string", "Names of quotas with commas between; absent: all."),
            ],
        },
    ];

    private static Task ListAsync(ApiRequest request)
    {
        var quotas = request.Services.Broker.AccessManagement.ListQuotas(request.Who, request.Space);
        Page<QuotaResource> page = Paging.Cut(
            request, quotas, quota => $"{Show(quota.Key.User)} {Show(quota.Key.Client)}", Show);
        return request.AnswerAsync(page, ApiJson.Default.PageQuotaResource);
    }

    private static async Task SetAsync(ApiRequest request)
    {
        QuotaResource wanted = await request.BodyAsync(ApiJson.Default.QuotaResource);
        QuotaEntity entity = new(PartOf(wanted.User), PartOf(wanted.ClientId));
        IReadOnlyDictionary<string, double> values =
            wanted.Values ?? throw ApiRequest.Invalid("values is missing");
        QuotaChange[] changes =
            [.. values.Select(value => new QuotaChange(entity, KindOf(value.Key), value.Value))];
        if (changes.Length == 0)
        {
            throw ApiRequest.Invalid("say which quotas, and how much");
        }

        request.Services.Broker.AccessManagement.ChangeQuotas(request.Who, request.Space, changes);
        await request.AnswerAsync();
    }

    private static Task RemoveAsync(ApiRequest request)
    {
        QuotaEntity entity = new(PartOf(request.Text("user")), PartOf(request.Text("clientId")));
        QuotaKind[] kinds = request.Text("quota") is { } names ? [.. names.Split(',').Select(KindOf)] : [];
        request.Services.Broker.AccessManagement.RemoveQuotas(request.Who, request.Space, entity, kinds);
        return request.AnswerAsync();
    }

    private static QuotaResource Show(KeyValuePair<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>> quota) => new()
    {
        User = Show(quota.Key.User),
        ClientId = Show(quota.Key.Client),
        Values = quota.Value.ToDictionary(value => QuotaNames.Of(value.Key), value => value.Value),
    };

    private static string? Show(QuotaPart part) => part.Scope == QuotaScope.Default ? Everybody : part.Name;

    private static QuotaPart PartOf(string? text) =>
        text is null ? QuotaPart.Absent : text == Everybody ? QuotaPart.Default : QuotaPart.Of(text);

    private static QuotaKind KindOf(string name) => QuotaNames.Find(name)
        ?? throw ApiRequest.Invalid(
            $"there is no quota '{name}': {string.Join(", ", QuotaNames.All.Select(QuotaNames.Of))}");
}
