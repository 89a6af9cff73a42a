using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Storage;
using Pillarbox.Testing;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>A node in memory and a client of its HTTP API, for one test.</summary>
internal sealed class ApiNode : IAsyncDisposable
{
    public const string Password = "correct horse";

    private ApiNode(PillarboxTestHost host)
    {
        Host = host;
        Http = new HttpClient { BaseAddress = new Uri(host.HttpUrl) };
    }

    public PillarboxTestHost Host { get; }

    public HttpClient Http { get; }

    public static async Task<ApiNode> StartAsync(Func<PillarboxConfig, PillarboxConfig>? configure = null) =>
        new(await PillarboxTestHost.StartAsync(configure));

    /// <summary>A node with the users admin, viewer and client, each with the role of its name.</summary>
    public static async Task<ApiNode> StartWithUsersAsync()
    {
        var files = new MemoryFileSystem();
        using var users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = files,
            Path = "data/users.json",
            PlainIterations = 1000,
            ScramIterations = 4096,
        });
        foreach (string name in (string[])["admin", "viewer", "client"])
        {
            users.Add(name, new Secret(Password), [name]);
        }

        return new ApiNode(await PillarboxTestHost.StartAsync(seams: new NodeSeams { FileSystem = files }));
    }

    public void LogIn(string user, string password = Password) =>
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    public Task<HttpResponseMessage> CreateAsync(string queue, string body = "{}") =>
        Http.PutAsync($"/api/v1/queues/{Uri.EscapeDataString(queue)}", Json(body));

    public async Task<JsonObject> GetAsync(string path) => (await Http.GetFromJsonAsync<JsonObject>(path))!;

    public async Task<HttpStatusCode> StatusAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json(body) };
        using HttpResponseMessage response = await Http.SendAsync(request);
        return response.StatusCode;
    }

    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
    }
}
