using System.Text.RegularExpressions;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>ListTransactions: the transactional ids that the client may see, filtered.</summary>
internal static class ListTransactionsApi
{
    private const int PatternCharsMax = 1024;

    public static async ValueTask<ListTransactionsResponse?> HandleAsync(
        ApiCall call, ListTransactionsRequest request)
    {
        if (!TryPattern(request.TransactionalIdPattern, out Regex? pattern))
        {
            return new ListTransactionsResponse { ErrorCode = (short)ErrorCode.InvalidRegularExpression };
        }

        KafkaSession session = call.Session;
        IReadOnlyList<TransactionView> all = await session.AskAsync<IReadOnlyList<TransactionView>>(
            (coordinators, done) => coordinators.Transactions.List(done));
        HashSet<string> states = [.. request.StateFilters];
        HashSet<long> producers = [.. request.ProducerIdFilters];
        return new ListTransactionsResponse
        {
            UnknownStateFilters = [.. request.StateFilters.Where(s => !Enum.IsDefined(typeof(TransactionState), s))],
            TransactionStates =
            [
                .. all.Where(t => session.MaySeeTransaction(t.TransactionalId))
                    .Where(t => pattern is null || pattern.IsMatch(t.TransactionalId))
                    .Where(t => states.Count == 0 || states.Contains($"{t.State}"))
                    .Where(t => producers.Count == 0 || producers.Contains(t.Producer.Id))
                    .Where(t => IsLongEnough(t, request.DurationFilter, session.Environment.UnixMs))
                    .Select(t => new ListTransactionsResponse.TransactionStateEntry
                    {
                        TransactionalId = t.TransactionalId,
                        ProducerId = t.Producer.Id,
                        TransactionState = t.State.ToString(),
                    }),
            ],
        };
    }

    private static bool IsLongEnough(TransactionView view, long durationMs, long nowMs) =>
        durationMs < 0 || (view.StartedMs >= 0 && nowMs - view.StartedMs > durationMs);

    private static bool TryPattern(string? text, out Regex? pattern)
    {
        pattern = null;
        if (string.IsNullOrEmpty(text))
        {
            return true;
        }

        try
        {
            pattern = text.Length <= PatternCharsMax
                ? new Regex($@"\A(?:{text})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)
                : null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            // The answer says that it is no pattern.
        }

        return pattern is not null;
    }
}
