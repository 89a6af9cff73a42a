using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Pillarbox.ConsoleApi;

namespace Pillarbox.Server.Cli;

/// <summary>The node's HTTP API for the verbs: every failure is a <see cref="CommandException"/> of one line.</summary>
internal sealed class ApiClient : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly ApiTarget _target;

    public ApiClient(ApiTarget target)
    {
        _target = target;
        _http = new HttpClient { BaseAddress = target.Url, Timeout = Timeout };
        if (target.User is { } user)
        {
            string login = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{target.Password}"));
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", login);
        }
    }

    /// <summary>Reads one resource.</summary>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        ReadAsync(new HttpRequestMessage(HttpMethod.Get, path), type, cancellation);

    /// <summary>Reads all pages of a list.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(
        string path, JsonTypeInfo<Page<T>> type, CancellationToken cancellation)
    {
        const int PageSize = 1000;
        var all = new List<T>();
        for (int number = 1; ; number++)
        {
            char mark = path.Contains('?') ? '&' : '?';
            Page<T> page = await GetAsync($"{path}{mark}page={number}&pageSize={PageSize}", type, cancellation);
            all.AddRange(page.Items);
            if (page.Items.Count < PageSize)
            {
                return all;
            }
        }
    }

    /// <summary>Deletes, and reads what was deleted.</summary>
    public Task<T> DeleteAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        ReadAsync(new HttpRequestMessage(HttpMethod.Delete, path), type, cancellation);

    /// <summary>Sends a command that answers with a resource.</summary>
    public Task<T> PostAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        ReadAsync(new HttpRequestMessage(HttpMethod.Post, path), type, cancellation);

    /// <summary>Sends a command with a body that answers with a resource.</summary>
    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type,
        CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) };
        return ReadAsync(request, type, cancellation);
    }

    /// <summary>Sends a command without an answer.</summary>
    public async Task SendAsync(HttpMethod method, string path, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await ExchangeAsync(new HttpRequestMessage(method, path), cancellation);
    }

    /// <summary>Copies the bytes of a resource.</summary>
    public async Task DownloadAsync(string path, Stream to, CancellationToken cancellation)
    {
        using HttpResponseMessage response =
            await ExchangeAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation, isStreamed: true);
        try
        {
            await response.Content.CopyToAsync(to, cancellation);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new CommandException(ExitCode.Failed, $"{_target.Url} broke off: {e.Message}");
        }
    }

    /// <summary>Puts a resource.</summary>
    public Task PutAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Put, path, body, type, cancellation);

    /// <summary>Changes a resource.</summary>
    public Task PatchAsync<T>(string path, T body, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Patch, path, body, type, cancellation);

    /// <summary>Sends a command with details and without an answer.</summary>
    public async Task SendAsync<T>(
        HttpMethod method, string path, T body, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, type) };
        using HttpResponseMessage response = await ExchangeAsync(request, cancellation);
    }

    /// <summary>One name as a part of a path. Errors: <see cref="CommandException"/> for what HTTP takes for another
    /// place.</summary>
    public static string Part(string name) => name is not ("" or "." or "..")
        ? Uri.EscapeDataString(name)
        : throw new CommandException(ExitCode.Usage, $"'{name}' is no name that can be asked for");

    public void Dispose() => _http.Dispose();

    private void AddSpace(HttpRequestMessage request)
    {
        if (_target.Space is { } space)
        {
            string path = request.RequestUri!.OriginalString;
            string parameter = $"{(path.Contains('?') ? '&' : '?')}space={Part(space)}";
            request.RequestUri = new Uri(path + parameter, UriKind.Relative);
        }
    }

    private async Task<T> ReadAsync<T>(
        HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await ExchangeAsync(request, cancellation);
        try
        {
            return await response.Content.ReadFromJsonAsync(type, cancellation) ?? throw NotOurs();
        }
        catch (JsonException)
        {
            throw NotOurs();
        }
    }

    private async Task<HttpResponseMessage> ExchangeAsync(
        HttpRequestMessage request, CancellationToken cancellation, bool isStreamed = false)
    {
        HttpResponseMessage response;
        try
        {
            using (request)
            {
                AddSpace(request);
                HttpCompletionOption until = isStreamed
                    ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead;
                response = await _http.SendAsync(request, until, cancellation);
            }
        }
        catch (HttpRequestException e)
        {
            throw new CommandException(ExitCode.Failed, $"cannot reach {_target.Url}: {Explain(e)}");
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            string late = $"{_target.Url} did not answer within {Timeout.TotalSeconds:0} s";
            throw new CommandException(ExitCode.Timeout, late);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw new CommandException(CodeOf(response.StatusCode), await DetailAsync(response, cancellation));
        }
    }

    private CommandException NotOurs() => new(ExitCode.Failed, $"{_target.Url} answers, but it is no Pillarbox node");

    private static string Explain(HttpRequestException error) =>
        error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
            ? "nothing listens there; is the node running? (--url, or PILLARBOX_URL)"
            : error.InnerException?.Message ?? error.Message;

    private static async Task<string> DetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            Problem? problem = await response.Content.ReadFromJsonAsync(ApiJson.Default.Problem, cancellation);
            return problem?.Detail ?? $"the node answers {(int)response.StatusCode}";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or HttpRequestException)
        {
            return $"the node answers {(int)response.StatusCode}";
        }
    }

    private static int CodeOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => ExitCode.Usage,
        HttpStatusCode.NotFound => ExitCode.NotFound,
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => ExitCode.Denied,
        HttpStatusCode.Conflict => ExitCode.Conflict,
        HttpStatusCode.RequestTimeout or HttpStatusCode.GatewayTimeout => ExitCode.Timeout,
        _ => ExitCode.Failed,
    };
}
