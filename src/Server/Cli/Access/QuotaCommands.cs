using System.CommandLine;
using System.Globalization;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli.Access;

/// <summary><c>pillarbox quota …</c>: how much users and client ids may take of streams.</summary>
internal static class QuotaCommands
{
    private const string Path = "/api/v1/quotas";
    private const string Everybody = "<default>";

    private static readonly (string Quota, string Description)[] Kinds =
    [
        ("producer_byte_rate", "Bytes a second that are written."),
        ("consumer_byte_rate", "Bytes a second that are read."),
        ("request_percentage", "Percent of one processor's time."),
        ("controller_mutation_rate", "Partitions made and deleted a second."),
    ];

    public static Command Create() => new("quota", "Quotas of users and client ids: list, set, remove.")
    {
        List(), Set(), Remove(),
    };

    private static Command List()
    {
        Option<string?> filter = new("--filter") { Description = "Only quotas of users or client ids with this text." };
        return new ApiVerb("list", "List quotas.") { filter }.Reads(async (api, parsed, cancellation) =>
        {
            string query = parsed.GetValue(filter) is { } text ? $"?filter={ApiClient.Part(text)}" : "";
            var quotas = await api.ListAsync(Path + query, ApiJson.Default.PageQuotaResource, cancellation);
            var page = new Page<QuotaResource>(quotas, quotas.Count, 1, quotas.Count);
            return new Reading(
                () => Output.Json(page, ApiJson.Default.PageQuotaResource),
                () => Output.Table(["user", "client", "quota", "a second#"], quotas.SelectMany(Rows)));
        });
    }

    private static IEnumerable<string[]> Rows(QuotaResource quota) =>
        quota.Values.OrderBy(value => value.Key, StringComparer.Ordinal).Select(value => (string[])
        [
            quota.User ?? "-", quota.ClientId ?? "-", value.Key, value.Value.ToString(CultureInfo.InvariantCulture),
        ]);

    private static Command Set()
    {
        var entity = new EntityFlags();
        (string Quota, Option<double?> Flag)[] kinds =
        [
            .. Kinds.Select(kind => (kind.Quota, new Option<double?>(FlagOf(kind.Quota))
            {
                Description = kind.Description,
            })),
        ];
        var verb = new ApiVerb("set", "Set quotas of a user, a client id, or both; others of the same stay.");
        entity.AddTo(verb);
        foreach ((_, Option<double?> flag) in kinds)
        {
            verb.Options.Add(flag);
        }

        return verb.Does((api, parsed, cancellation) =>
        {
            (string? user, string? client) = entity.Read(parsed);
            var values = new Dictionary<string, double>();
            foreach ((string quota, Option<double?> flag) in kinds)
            {
                if (parsed.GetValue(flag) is { } value)
                {
                    values[quota] = value;
                }
            }

            return values.Count == 0
                ? throw new CommandException(
                    ExitCode.Usage, $"say how much: {string.Join(", ", kinds.Select(kind => kind.Flag.Name))}")
                : api.PutAsync(
                    Path, new QuotaResource { User = user, ClientId = client, Values = values },
                    ApiJson.Default.QuotaResource, cancellation);
        });
    }

    private static Command Remove()
    {
        var entity = new EntityFlags();
        Option<string[]> quotas = new("--quota")
        {
            Description = $"{string.Join(", ", Kinds.Select(kind => kind.Quota))}; repeatable (default: all).",
        };
        quotas.AcceptOnlyFromAmong([.. Kinds.Select(kind => kind.Quota)]);
        var verb = new ApiVerb("remove", "Remove quotas of a user, a client id, or both.") { quotas };
        entity.AddTo(verb);
        return verb.Does((api, parsed, cancellation) =>
        {
            (string? user, string? client) = entity.Read(parsed);
            var terms = new List<string>();
            AddTo(terms, "user", user);
            AddTo(terms, "clientId", client);
            string[] named = parsed.GetValue(quotas) ?? [];
            AddTo(terms, "quota", named.Length == 0 ? null : string.Join(',', named));
            return api.SendAsync(HttpMethod.Delete, $"{Path}?{string.Join('&', terms)}", cancellation);
        });
    }

    private static string FlagOf(string quota) => "--" + quota.Replace('_', '-');

    private static void AddTo(List<string> terms, string name, string? value)
    {
        if (value is not null)
        {
            terms.Add($"{name}={ApiClient.Part(value)}");
        }
    }

    /// <summary>The flags that say whose quota it is.</summary>
    private sealed class EntityFlags
    {
        private readonly Option<string?> _user = new("--for-user") { Description = "Of this user." };

        private readonly Option<bool> _anyUser = new("--for-any-user")
        {
            Description = "Of every user without an own quota; each is counted alone.",
        };

        private readonly Option<string?> _client = new("--for-client-id") { Description = "Of this client id." };

        private readonly Option<bool> _anyClient = new("--for-any-client-id")
        {
            Description = "Of every client id without an own quota; each is counted alone.",
        };

        public void AddTo(Command command)
        {
            foreach (Option option in (Option[])[_user, _anyUser, _client, _anyClient])
            {
                command.Options.Add(option);
            }
        }

        public (string? User, string? Client) Read(ParseResult parsed)
        {
            string? user = One(parsed, _user, _anyUser);
            string? client = One(parsed, _client, _anyClient);
            return user is null && client is null
                ? throw new CommandException(
                    ExitCode.Usage,
                    "say whose: --for-user or --for-any-user, --for-client-id or --for-any-client-id, or both")
                : (user, client);
        }

        private static string? One(ParseResult parsed, Option<string?> named, Option<bool> any) =>
            !parsed.GetValue(any) ? parsed.GetValue(named)
            : parsed.GetValue(named) is null ? Everybody
            : throw new CommandException(ExitCode.Usage, $"say {named.Name} or {any.Name}, not both");
    }
}
