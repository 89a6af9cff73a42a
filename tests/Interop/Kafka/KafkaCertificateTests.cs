using Pillarbox.Hosting.Tests.Listeners;
using Xunit;

namespace Pillarbox.Interop.Tests.Kafka;

/// <summary>Client certificates on a Kafka listener: librdkafka with SSL is the user whose certificate it shows.
/// </summary>
public sealed class KafkaCertificateTests : IAsyncLifetime
{
    private const string Configuration = """
        {
          "listeners": {
            "kafka": {
              "addresses": ["127.0.0.1:0"],
              "tls": { "certificate": "SERVER", "clientCertificates": "allow", "clientAuthorities": "AUTHORITY" }
            }
          },
          "security": { "required": true }
        }
        """;

    private readonly TemporaryDirectory _directory = new();
    private readonly Certificates _certificates = new();
    private string _authority = "";
    private PillarboxProcess _node = null!;

    public async ValueTask InitializeAsync()
    {
        string[] add =
        [
            "user", "add", "carol", "--role", "client", "--no-password", "--certificate", "dns:alice", "--data",
            _directory.File("data"),
        ];
        ClientResult added = await ClientProcess.RunAsync(Programs.Pillarbox, add);
        Assert.True(added.ExitCode == 0, added.Everything);
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
    public async Task Who_shows_a_users_certificate_may_send_and_receive()
    {
        string[] shown =
        [
            "-X", $"ssl.certificate.location={_certificates.WritePem("alice.pem", _certificates.Client, key: false)}",
            "-X", $"ssl.key.location={_certificates.WriteKey("alice.key", _certificates.Client)}",
        ];
        (await RunAsync("hello\n", [.. shown, "-P", "-t", "t"])).AssertExit(0);
        ClientResult got = await RunAsync(null, [.. shown, "-C", "-t", "t", "-e", "-q"]);
        got.AssertExit(0);
        Assert.Equal("hello\n", got.Output);
    }

    [Fact]
    public async Task Who_shows_none_gets_nowhere()
    {
        (await RunAsync(null, "-L", "-m", "3")).AssertExit(1);
        Assert.False(_node.HasExited, _node.Output);
    }

    // The certificate is for another name than the address.
    private Task<ClientResult> RunAsync(string? input, params string[] arguments) => ClientProcess.RunAsync(
        "kcat",
        [
            "-b", _node.Listener("kafkas"), "-X", "security.protocol=SSL", "-X", $"ssl.ca.location={_authority}",
            "-X", "ssl.endpoint.identification.algorithm=none", .. arguments,
        ],
        input);
}
