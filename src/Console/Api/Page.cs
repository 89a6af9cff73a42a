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

    /// <summary>The page that a request asks for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="all">The whole list.</param>
    /// <param name="name">What the filter looks at.</param>
    /// <param name="show">What is on the page of an item.</param>
    /// <param name="number">What items are in the order of; null: of their names.</param>
    public static Page<TOut> Cut<TIn, TOut>(
        ApiRequest request, IEnumerable<TIn> all, Func<TIn, string> name, Func<TIn, TOut> show,
        Func<TIn, long>? number = null)
    {
        int page = request.Number("page", 1, 1, NumberMax);
        int size = request.Number("pageSize", SizeDefault, 1, SizeMax);
        string? filter = request.Text("filter");
        TIn[] matching = filter is null
            ? [.. all]
            : [.. all.Where(item => name(item).Contains(filter, StringComparison.OrdinalIgnoreCase))];
        Sort(matching, name, number);
        long skipped = (long)(page - 1) * size;
        TOut[] items = skipped >= matching.Length
            ? []
            : [.. matching.Skip((int)skipped).Take(size).Select(show)];
        return new Page<TOut>(items, matching.Length, page, size);
    }

    private static void Sort<T>(T[] items, Func<T, string> name, Func<T, long>? number)
    {
        if (number is null)
        {
            string[] names = [.. items.Select(name)];
            Array.Sort(names, items, StringComparer.Ordinal);
        }
        else
        {
            long[] numbers = [.. items.Select(number)];
            Array.Sort(numbers, items);
        }
    }
}
