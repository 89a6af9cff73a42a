using System.CommandLine;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox transaction …</c></summary>
internal static class TransactionCommands
{
    private const string Path = "/api/v1/transactions";

    public static Command Create() => new("transaction", "Distributed transactions in doubt: list, commit, roll back.")
    {
        List(),
        Step("commit", "Commit a prepared branch; its transaction manager hears of that decision."),
        Step("rollback", "Roll a prepared branch back; its transaction manager hears of that decision."),
        Step("forget", "Forget a decision that no transaction manager will ask for."),
    };

    private static Command List() =>
        new ApiVerb("list", "List prepared branches and decisions.").Reads(async (api, _, cancellation) =>
        {
            var branches = await api.ListAsync(Path, ApiJson.Default.PageTransactionResource, cancellation);
            var page = new Page<TransactionResource>(branches, branches.Count, 1, branches.Count);
            string[] headings = ["xid", "state", "user", "client", "messages#", "acknowledgements#", "since"];
            return new Reading(
                () => Output.Json(page, ApiJson.Default.PageTransactionResource),
                () => Output.Table(headings, branches.Select(Row)));
        });

    private static string[] Row(TransactionResource b) =>
    [
        b.Xid, b.State, b.User, b.ClientId, $"{b.Messages}", $"{b.Acknowledgements}",
        $"{b.Since:yyyy-MM-ddTHH:mm:ssZ}",
    ];

    private static Command Step(string name, string description)
    {
        Argument<string> xid = new("xid") { Description = "The branch, as list prints it." };
        return new ApiVerb(name, description) { xid }.Does((api, parsed, cancellation) =>
            api.SendAsync(
                HttpMethod.Post, $"{Path}/{ApiClient.Part(parsed.GetValue(xid)!)}/{name}", cancellation));
    }
}
