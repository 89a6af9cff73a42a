using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>Gets an issuer's key set from a file or from the web. Any thread.</summary>
internal sealed class TokenKeysReader : IDisposable
{
    private const int BytesMax = 1 << 20;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly string _place;
    private readonly HttpClient? _http;

    public TokenKeysReader(string place)
    {
        _place = place;
        if (IsWeb(place))
        {
            // Who is asked for keys does not say where else to look for them.
            _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
            {
                Timeout = Timeout,
                MaxResponseContentBufferSize = BytesMax,
            };
        }
    }

    /// <summary>What is wrong with the place of a key set; null when nothing is.</summary>
    public static string? Fault(string place)
    {
        if (place.Length == 0)
        {
            return "is needed: a file, or an https address";
        }

        if (!IsWeb(place))
        {
            return null;
        }

        bool good = Uri.TryCreate(place, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttps
            || uri.IsLoopback);
        return good ? null : "must be an https address: over http anybody on the way could replace the keys";
    }

    /// <summary>The bytes. Throws <see cref="TokenKeysException"/>.</summary>
    public async ValueTask<byte[]> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            return _http is not null
                ? await _http.GetByteArrayAsync(new Uri(_place), cancellation).ConfigureAwait(false)
                : WholeFile.Read(DiskFileSystem.Instance, _place, BytesMax)
                    ?? throw new TokenKeysException($"there is no file {_place}");
        }
        catch (Exception e) when (e is HttpRequestException or StorageException)
        {
            throw new TokenKeysException($"the keys at {_place} cannot be read: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TokenKeysException($"{_place} does not answer", e);
        }
    }

    public void Dispose() => _http?.Dispose();

    private static bool IsWeb(string place) =>
        place.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
        || place.StartsWith("https:", StringComparison.OrdinalIgnoreCase);
}
