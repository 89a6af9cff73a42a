using Pillarbox.Broker.Management;

namespace Pillarbox.ConsoleApi;

/// <summary><c>/api/v1/transactions</c>: distributed transactions in doubt: list, commit, roll back, forget.</summary>
internal static class TransactionsResource
{
    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/transactions", "Prepared branches of distributed transactions, and decisions about them.",
            ListAsync)
        {
            Answer = ApiJson.Default.PageTransactionResource,
            Query = Paging.Parameters,
        },
        new("POST", "/api/v1/transactions/{transaction}/commit", "Commits a prepared branch.", CommitAsync)
        {
            Status = 204,
        },
        new("POST", "/api/v1/transactions/{transaction}/rollback", "Rolls a prepared branch back.", RollbackAsync)
        {
            Status = 204,
        },
        new("POST", "/api/v1/transactions/{transaction}/forget", "Forgets an operator's decision.", ForgetAsync)
        {
            Status = 204,
        },
    ];

    private static async Task ListAsync(ApiRequest request)
    {
        IReadOnlyList<TransactionView> branches = request.Management.Transactions.List(request.Who);
        Page<TransactionResource> page = Paging.Cut(request, branches, b => $"{b.Xid} {b.ClientId} {b.User}", Show);
        await request.AnswerAsync(page, ApiJson.Default.PageTransactionResource);
    }

    private static async Task CommitAsync(ApiRequest request)
    {
        await request.Management.Transactions.CommitAsync(request.Who, request.Segment("transaction"));
        await request.AnswerAsync();
    }

    private static async Task RollbackAsync(ApiRequest request)
    {
        await request.Management.Transactions.RollbackAsync(request.Who, request.Segment("transaction"));
        await request.AnswerAsync();
    }

    private static async Task ForgetAsync(ApiRequest request)
    {
        await request.Management.Transactions.ForgetAsync(request.Who, request.Segment("transaction"));
        await request.AnswerAsync();
    }

    private static TransactionResource Show(TransactionView branch) => new()
    {
        Xid = branch.Xid,
        State = branch.State,
        AddressSpace = branch.AddressSpace,
        User = branch.User,
        ClientId = branch.ClientId,
        Since = DateTimeOffset.FromUnixTimeMilliseconds(branch.SinceMs),
        Messages = branch.Messages,
        Acknowledgements = branch.Acknowledgements,
    };
}
