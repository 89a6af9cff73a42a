using System.Globalization;
using System.Text.Json.Nodes;
using Pillarbox.Hosting.Tests.Listeners;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>
/// Proton logs in to a node with users, over TLS: each mechanism, and each thing that must not work. Debian's Proton is
/// built without Cyrus SASL and knows no SCRAM, so Cyrus SASL does that exchange itself. Users are made by the
/// program's own verb, certificates by the test.
/// </summary>
public sealed class LoginTests : IAsyncLifetime
{
    private const string Password = "correct horse battery";
    private const string Configuration = """
        {
          "listeners": {
            "amqps": {
              "protocol": "amqp", "addresses": ["127.0.0.1:0"],
              "tls": { "certificate": "SERVER", "clientCertificates": "allow", "clientAuthorities": "AUTHORITY" }
            },
            "http": { "addresses": ["127.0.0.1:0"] }
          },
          "security": {
            "permissions": {
              "#": { "client": ["send", "consume", "createAddress", "createDurableQueue"] },
              "secret.#": { "admin": ["send", "consume", "createAddress", "createDurableQueue"] }
            }
          }
        }
        """;

    private readonly TemporaryDirectory _directory = new();
    private readonly Certificates _certificates = new();
    private string _authority = "";
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        await AddUserAsync("alice");
        await AddUserAsync("carol", "--no-password", "--certificate", "dns:alice");
        _authority = _certificates.WritePem("ca.pem", _certificates.Authority, key: false);
        string server = _certificates.WritePem("server.pem", _certificates.Server, key: true);
        string config = _directory.File("pillarbox.json");
        string text = Configuration.Replace("SERVER", server, StringComparison.Ordinal)
            .Replace("AUTHORITY", _authority, StringComparison.Ordinal);
        await File.WriteAllTextAsync(config, text);
        _node = await PillarboxProcess.StartAsync(_directory.File("data"), ownListeners: true, "--config", config);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null) await _node.DisposeAsync();
        _certificates.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_password_logs_in_over_tls() => (await LogInAsync("PLAIN", "alice", Password)).AssertOk();

    [Theory]
    [InlineData("PLAIN", "alice", "wrong")]
    [InlineData("PLAIN", "nobody", Password)]
    [InlineData("ANONYMOUS", null, null)]
    public async Task Whoever_is_not_known_is_refused(string mechanism, string? user, string? password) =>
        AssertRefused(await LogInAsync(mechanism, user, password), "amqp:unauthorized-access");

    [Theory]
    [InlineData("SCRAM-SHA-256")]
    [InlineData("SCRAM-SHA-512")]
    public async Task A_password_logs_in_without_being_sent(string mechanism)
    {
        (await CyrusLogInAsync(mechanism, "alice", Password)).AssertOk();
        AssertRefused(await CyrusLogInAsync(mechanism, "alice", "wrong"), "the server says 1");
        AssertRefused(await CyrusLogInAsync(mechanism, "nobody", Password), "the server says 1");
        (await CyrusLogInAsync(mechanism, "alice", Password)).AssertOk();
    }

    [Fact]
    public async Task A_certificate_logs_in_as_its_user()
    {
        (await LogInAsync("EXTERNAL", null, null, WithCertificate)).AssertOk();
        AssertRefused(await LogInAsync("EXTERNAL", null, null), "amqp:unauthorized-access");
    }

    [Fact]
    public async Task A_client_refuses_a_server_of_another_name_or_authority()
    {
        ClientResult other = await LogInAsync("PLAIN", "alice", Password, json => json["host"] = "other.example");
        AssertRefused(other, "certificate verify failed");
        string stranger = _certificates.WritePem("stranger.pem", _certificates.Client, key: false);
        ClientResult untrusted = await LogInAsync("PLAIN", "alice", Password, json => json["ca"] = stranger);
        AssertRefused(untrusted, "certificate verify failed");
    }

    [Fact]
    public async Task Who_may_not_use_an_address_is_told_so()
    {
        ClientResult result = await LogInAsync("PLAIN", "alice", Password, json => json["address"] = "secret.plans");
        AssertRefused(result, "amqp:unauthorized-access");
        Assert.Contains("alice", result.Output, StringComparison.Ordinal);
        (await LogInAsync("PLAIN", "alice", Password)).AssertOk();
    }

    [Fact]
    public void No_password_is_in_the_log() => Assert.DoesNotContain(Password, _node.Output, StringComparison.Ordinal);

    private void WithCertificate(JsonObject json)
    {
        json["certificate"] = _certificates.WritePem("alice.pem", _certificates.Client, key: false);
        json["key"] = _certificates.WriteKey("alice.key", _certificates.Client);
    }

    private async Task<ClientResult> LogInAsync(
        string mechanism, string? user, string? password, Action<JsonObject>? change = null)
    {
        var json = new JsonObject
        {
            ["url"] = $"amqps://localhost:{_node.Listener("amqps").Split(':')[^1]}",
            ["address"] = "orders",
            ["mechanism"] = mechanism,
            ["ca"] = _authority,
        };
        if (user is not null) (json["user"], json["password"]) = (user, password);
        change?.Invoke(json);
        string[] command = [Programs.Script("proton", "login.py"), json.ToJsonString()];
        ClientResult result = await ClientProcess.RunAsync(Programs.Python, command);
        Assert.False(_node.HasExited, _node.Output);
        return result;
    }

    private async Task<ClientResult> CyrusLogInAsync(string mechanism, string user, string password)
    {
        var json = new JsonObject
        {
            ["port"] = int.Parse(_node.Listener("amqps").Split(':')[^1], CultureInfo.InvariantCulture),
            ["ca"] = _authority,
            ["mechanism"] = mechanism,
            ["user"] = user,
            ["password"] = password,
        };
        string[] command = [Programs.Script("cyrus", "login.py"), json.ToJsonString()];
        return await ClientProcess.RunAsync(Programs.Python, command);
    }

    private static void AssertRefused(ClientResult result, string why)
    {
        Assert.True(result.ExitCode == 1, result.Everything);
        Assert.StartsWith("refused: ", result.Output, StringComparison.Ordinal);
        Assert.Contains(why, result.Output, StringComparison.Ordinal);
    }

    private async Task AddUserAsync(string name, params string[] more)
    {
        string[] arguments = ["user", "add", name, "--data", _directory.File("data"), .. more];
        ClientResult added = await ClientProcess.RunAsync(Programs.Pillarbox, arguments, Password + "\n");
        Assert.True(added.ExitCode == 0, added.Everything);
    }
}
