using System.Net;
using System.Text.Json.Nodes;
using Pillarbox.Broker.Tests.Security.Tokens;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>OAUTHBEARER: librdkafka and kafkajs log in with tokens whose keys the node has from a file or the web.
/// </summary>
public sealed class KafkaTokenTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TokenMaker _maker = new();
    private readonly HttpListener _web = new();
    private PillarboxProcess? _node;

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        ((IDisposable)_web).Dispose();
        _maker.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Librdkafka_logs_in_and_goes_on_when_its_token_expires()
    {
        await StartAsync(KeysInFile());
        (await LibrdkafkaAsync(8, Token("alice", seconds: 4), Token("alice", seconds: 3600))).AssertOk();
    }

    [Fact]
    public async Task Librdkafka_with_an_unsecured_token_is_refused()
    {
        await StartAsync(KeysInFile());
        ClientResult refused = await LibrdkafkaAsync(0);
        refused.AssertExit(1);
        Assert.Contains("Authentication failed", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("algorithm none", _node!.Output, StringComparison.Ordinal);
        (await LibrdkafkaAsync(0, Token("alice", seconds: 3600))).AssertOk();
    }

    [Fact]
    public async Task Kafkajs_logs_in_with_keys_from_the_web_and_again_before_its_token_expires()
    {
        await StartAsync(KeysOnWeb());
        (await KafkaJsAsync(Token("alice", seconds: 30), Token("alice", seconds: 3600))).AssertOk();
    }

    [Fact]
    public async Task Kafkajs_with_another_issuers_token_is_refused()
    {
        await StartAsync(KeysInFile());
        using var other = new TokenMaker();
        string token = other.Sign(TokenMaker.Claims("alice", DateTimeOffset.UtcNow));
        (await KafkaJsAsync("0:" + token)).AssertExit(1);
        Assert.Contains("not the issuer's", _node!.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_token_says_of_roles_decides()
    {
        await StartAsync(KeysInFile());
        ClientResult refused = await KafkaJsAsync(Token("bob", seconds: 3600, role: "viewer"));
        refused.AssertExit(1);
        Assert.Contains("authorized", refused.Errors, StringComparison.OrdinalIgnoreCase);
    }

    private Task<ClientResult> KafkaJsAsync(params string[] tokens) => ClientProcess.RunAsync(
        "node",
        [
            Programs.Script("Kafka", "kafkajs", "token.js"), _node!.KafkaServers, "t",
            .. tokens.Select(t => t[(t.IndexOf(':') + 1)..]),
        ]);

    private async Task<ClientResult> LibrdkafkaAsync(int seconds, params string[] tokens) =>
        await ClientProcess.RunAsync(
            await Programs.KafkaTokenClient.Value, [_node!.KafkaServers, "t", $"{seconds}", .. tokens]);

    // When it expires, in milliseconds, and the token.
    private string Token(string user, int seconds, string role = "client")
    {
        DateTimeOffset expires = DateTimeOffset.UtcNow.AddSeconds(seconds);
        JsonObject claims = TokenMaker.Claims(user, DateTimeOffset.UtcNow);
        claims["exp"] = expires.ToUnixTimeSeconds();
        claims["roles"] = new JsonArray(role);
        return $"{expires.ToUnixTimeMilliseconds()}:{_maker.Sign(claims)}";
    }

    private string KeysInFile()
    {
        string path = _directory.File("keys.json");
        File.WriteAllText(path, _maker.KeySet);
        return path;
    }

    private string KeysOnWeb()
    {
        string url = $"http://127.0.0.1:{LoopbackPort.Free()}/";
        _web.Prefixes.Add(url);
        _web.Start();
        _ = ServeAsync();
        return url + "keys";
    }

    private async Task ServeAsync()
    {
        while (_web.IsListening)
        {
            HttpListenerContext context = await _web.GetContextAsync();
            byte[] keys = System.Text.Encoding.UTF8.GetBytes(_maker.KeySet);
            await context.Response.OutputStream.WriteAsync(keys);
            context.Response.Close();
        }
    }

    private async Task StartAsync(string keys)
    {
        string config = _directory.File("pillarbox.json");
        var json = new JsonObject
        {
            ["security"] = new JsonObject
            {
                ["tokens"] = new JsonObject
                {
                    ["issuer"] = TokenMaker.Issuer,
                    ["audiences"] = new JsonArray(TokenMaker.Audience),
                    ["keys"] = keys,
                    ["rolesClaim"] = "roles",
                },
            },
        };
        await File.WriteAllTextAsync(config, json.ToJsonString());
        _node = await PillarboxProcess.StartAsync(_directory.File("data"), "--config", config);
    }
}
