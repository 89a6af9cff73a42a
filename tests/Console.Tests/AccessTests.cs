using System.Net;
using Xunit;

namespace Pillarbox.ConsoleApi.Tests;

public sealed class AccessTests
{
    [Fact]
    public async Task With_users_everything_but_health_asks_for_a_login()
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        using HttpResponseMessage refused = await node.Http.GetAsync("/api/v1/queues");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.StartsWith("Basic realm=", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, await node.StatusAsync(HttpMethod.Get, "/metrics"));
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, "/health/ready"));
    }

    [Theory]
    [InlineData("admin", "wrong")]
    [InlineData("nobody", ApiNode.Password)]
    [InlineData("admin", "")]
    public async Task A_wrong_login_is_refused(string user, string password)
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn(user, password);
        Assert.Equal(HttpStatusCode.Unauthorized, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues"));
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic !!!")]
    [InlineData("Basic bm9jb2xvbg==")]
    [InlineData("Bearer x")]
    public async Task A_header_that_cannot_be_read_is_refused(string header)
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.Http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);
        Assert.Equal(HttpStatusCode.Unauthorized, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues"));
    }

    [Fact]
    public async Task Roles_decide_what_may_be_done()
    {
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        node.LogIn("admin");
        Assert.Equal(HttpStatusCode.NoContent, await node.StatusAsync(HttpMethod.Put, "/api/v1/queues/orders", "{}"));
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Post, "/api/v1/queues/orders/purge"));
        node.LogIn("viewer");
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, "/api/v1/queues/orders"));
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, "/metrics"));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Post, "/api/v1/queues/orders/purge"));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Delete, "/api/v1/queues/orders"));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Put, "/api/v1/queues/new", "{}"));
        node.LogIn("client");
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Get, "/metrics"));
        Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Get, "/api/v1/node"));
    }

    [Fact]
    public async Task Damaged_bytes_are_for_operators_only()
    {
        const string Bytes = "/api/v1/quarantine/1/bytes";
        await using ApiNode node = await ApiNode.StartWithUsersAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await node.StatusAsync(HttpMethod.Get, "/api/v1/quarantine"));
        foreach (string user in new[] { "viewer", "client" })
        {
            node.LogIn(user);
            Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Get, "/api/v1/quarantine"));
            Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Get, Bytes));
            Assert.Equal(HttpStatusCode.Forbidden, await node.StatusAsync(HttpMethod.Delete, "/api/v1/quarantine/1"));
        }

        node.LogIn("admin");
        Assert.Equal(HttpStatusCode.OK, await node.StatusAsync(HttpMethod.Get, "/api/v1/quarantine"));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Get, Bytes));
        Assert.Equal(HttpStatusCode.BadRequest, await node.StatusAsync(HttpMethod.Get, "/api/v1/quarantine/x/bytes"));
        Assert.Equal(HttpStatusCode.NotFound, await node.StatusAsync(HttpMethod.Delete, "/api/v1/quarantine/1"));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Host", "evil.example")]
    public async Task Pages_of_other_sites_are_kept_out_of_an_open_node(string header, string value)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/queues");
        request.Headers.TryAddWithoutValidation(header, value);
        using HttpResponseMessage response = await node.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_form_of_a_web_page_cannot_change_anything()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using var form = new FormUrlEncodedContent([new("address", "a")]);
        using HttpResponseMessage response = await node.Http.PutAsync("/api/v1/queues/orders", form);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/api/v1/queues")]
    [InlineData("/api/v1/queues/nope")]
    [InlineData("/nothing/here")]
    [InlineData("/metrics")]
    public async Task Every_answer_has_the_strict_headers(string path)
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using HttpResponseMessage response = await node.Http.GetAsync(path);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        string policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Server"));
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Errors_are_problem_documents()
    {
        await using ApiNode node = await ApiNode.StartAsync();
        using HttpResponseMessage response = await node.Http.GetAsync("/api/v1/queues/nope");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            """{"title":"Not found","status":404,"detail":"there is no queue \u0027nope\u0027"}""",
            await response.Content.ReadAsStringAsync());
    }
}
