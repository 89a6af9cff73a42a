using System.Globalization;
using Microsoft.AspNetCore.Http;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.ConsoleApi;

/// <summary>One stretch of damaged bytes, as the API shows it.</summary>
public sealed record QuarantineResource
{
    public required long Id { get; init; }

    /// <summary>When it was found; absent when its note is damaged.</summary>
    public DateTimeOffset? FoundAt { get; init; }

    public required long Bytes { get; init; }

    public required string Source { get; init; }

    public required string File { get; init; }

    /// <summary>Of the journal a log position, else an offset in the file.</summary>
    public required long Position { get; init; }

    public required string Reason { get; init; }

    public string? Space { get; init; }

    public string? Address { get; init; }

    public string? Queue { get; init; }

    public long? MessageId { get; init; }

    public string? Stream { get; init; }

    public int? Partition { get; init; }

    /// <summary>What the store knows of an entry.</summary>
    public static QuarantineResource Of(QuarantineEntry entry) => new()
    {
        Id = entry.Id,
        FoundAt = entry.AtMs > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(entry.AtMs) : null,
        Bytes = entry.Bytes,
        Source = entry.Origin.Source,
        File = entry.Origin.File,
        Position = entry.Origin.Position,
        Reason = entry.Origin.Reason,
        Space = entry.Origin.Space,
        Address = entry.Origin.Address,
        Queue = entry.Origin.Queue,
        MessageId = entry.Origin.MessageId > 0 ? entry.Origin.MessageId : null,
        Stream = entry.Origin.Stream,
        Partition = entry.Origin.Partition >= 0 ? entry.Origin.Partition : null,
    };
}

/// <summary><c>/api/v1/quarantine</c>: list, show, get the bytes, delete.</summary>
internal static class QuarantineRoutes
{
    private const string BytesType = "application/octet-stream";
    private const int PieceBytes = 64 << 10;

    public static readonly ApiRoute[] Routes =
    [
        new("GET", "/api/v1/quarantine", "Damaged bytes that are kept, oldest first.", ListAsync)
        {
            Answer = ApiJson.Default.PageQuarantineResource,
            Query = Paging.Parameters,
        },
        new("GET", "/api/v1/quarantine/{entry}", "Where an entry comes from.", ShowAsync)
        {
            Answer = ApiJson.Default.QuarantineResource,
        },
        new("GET", "/api/v1/quarantine/{entry}/bytes", "The damaged bytes, as they are.", ReadAsync)
        {
            MediaType = BytesType,
        },
        new("DELETE", "/api/v1/quarantine/{entry}", "Deletes an entry with its bytes.", DropAsync) { Status = 204 },
    ];

    private static Task ListAsync(ApiRequest request)
    {
        Page<QuarantineResource> page = Paging.Cut(
            request, request.Management.Quarantine.List(request.Who), NameOf, QuarantineResource.Of);
        return request.AnswerAsync(page, ApiJson.Default.PageQuarantineResource);
    }

    private static Task ShowAsync(ApiRequest request) => request.AnswerAsync(
        QuarantineResource.Of(request.Management.Quarantine.Get(request.Who, IdOf(request))),
        ApiJson.Default.QuarantineResource);

    private static async Task ReadAsync(ApiRequest request)
    {
        using QuarantineBytes bytes = request.Management.Quarantine.Open(request.Who, IdOf(request));
        HttpResponse response = request.Context.Response;
        response.ContentType = BytesType;
        response.ContentLength = bytes.Length;
        byte[] piece = new byte[PieceBytes];
        for (long at = 0; at < bytes.Length;)
        {
            int read = bytes.Read(at, piece);
            if (read == 0)
            {
                request.Context.Abort();
                return;
            }

            await response.Body.WriteAsync(piece.AsMemory(0, read), request.Context.RequestAborted);
            at += read;
        }
    }

    private static Task DropAsync(ApiRequest request)
    {
        request.Management.Quarantine.Drop(request.Who, IdOf(request));
        return request.AnswerAsync();
    }

    private static long IdOf(ApiRequest request)
    {
        string text = request.Segment("entry");
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long id)
            ? id
            : throw ApiRequest.Invalid($"an entry's id is a whole number, not '{text}'");
    }

    private static string NameOf(QuarantineEntry entry) => string.Create(
        CultureInfo.InvariantCulture,
        $"{entry.Id:D19} {entry.Origin.File} {entry.Origin.Queue} {entry.Origin.Stream}");
}
