using System.Text.Json.Serialization;

namespace Pillarbox.ConsoleApi;

/// <summary>One page of a list.</summary>
/// <param name="Items">What is on it.</param>
/// <param name="Total">How many there are on all pages.</param>
/// <param name="Number">Which page this is, from 1.</param>
/// <param name="PageSize">How many fit on a page.</param>
public sealed record Page<T>(
    IReadOnlyList<T> Items, int Total, [property: JsonPropertyName("page")] int Number, int PageSize);

/// <summary>Cuts lists into pages, as the request asks.</summary>
internal static class Paging
{
    private const int SizeDefault = 100;
    private const int SizeMax = 1000;
    private const int NumberMax = 1_000_000;

    public static readonly QueryParameter[] Parameters =
    [
        new("page", "integer", "The page, from 1 (default)."),
        new("pageSize", "integer", $"Items on a page, 1 to {SizeMax}, default {SizeDefault}."),
        new("filter", "string", "Only items whose name holds this text, case aside."),
    ];

    public static Page<TOut> Cut<TIn, TOut>(
        ApiRequest request, IEnumerable<TIn> all, Func<TIn, string> name, Func<TIn, TOut> show)
    {
        int number = request.Number("page", 1, 1, NumberMax);
        int size = request.Number("pageSize", SizeDefault, 1, SizeMax);
        string? filter = request.Text("filter");
        TIn[] matching = filter is null
            ? [.. all]
            : [.. all.Where(item => name(item).Contains(filter, StringComparison.OrdinalIgnoreCase))];
        string[] names = [.. matching.Select(name)];
        Array.Sort(names, matching, StringComparer.Ordinal);
        long skipped = (long)(number - 1) * size;
        TOut[] items = skipped >= matching.Length
            ? []
            : [.. matching.Skip((int)skipped).Take(size).Select(show)];
        return new Page<TOut>(items, matching.Length, number, size);
    }
}
