using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Nodes that connect out only, as processes with the flags of the command line.</summary>
public sealed class UplinkTests
{
    [Fact]
    public async Task Node_joins_over_a_secured_WebSocket_that_a_configuration_file_opens()
    {
        using var directory = new TemporaryDirectory();
        (string certificate, string authority) = MakeCertificate(directory.Path);
        string file = Path.Combine(directory.Path, "pillarbox.json");
        await File.WriteAllTextAsync(file, $$"""
            {
              "listeners": {
                "amqp": { "addresses": ["127.0.0.1:0"] },
                "routers": {
                  "protocol": "http", "role": "interRouter", "addresses": ["127.0.0.1:0"],
                  "tls": { "certificate": "{{certificate}}" }
                }
              },
              "router": { "mode": "interior", "id": "A" }
            }
            """, TestContext.Current.CancellationToken);
        await using PillarboxProcess first = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true, "--config", file);
        await using PillarboxProcess second = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true, "--mode", "interior", "--id", "B", "--listen", "amqp=127.0.0.1:0",
            "--connect", $"inter-router=wss://{first.Listener("inter-router-wss")}/amqp",
            "--connect-authorities", authority);
        await second.SaysAsync("NeighborUp A");

        string[] command =
            [Programs.Script("Router", "line.py"), "outcomes", first.AmqpUrl, second.AmqpUrl, second.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Fact]
    public async Task Edge_that_loses_its_uplink_goes_on_over_the_next_one()
    {
        await using PillarboxProcess last = await RouterNodes.StartAsync("C");
        PillarboxProcess first = await RouterNodes.StartAsync("A", last);
        await first.SaysAsync("NeighborUp C");
        await using PillarboxProcess edge = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true, "--mode", "edge", "--id", "E", "--listen", "amqp=127.0.0.1:0",
            "--connect", $"edge={first.Listener("edge")},{last.Listener("edge")}");
        await edge.SaysAsync($"{first.Listener("edge")}: connected");
        string[] command = [Programs.Script("Router", "line.py"), "outcomes", edge.AmqpUrl, last.AmqpUrl, last.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();

        await first.KillAsync();

        await edge.SaysAsync($"{last.Listener("edge")}: connected");
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
        await first.DisposeAsync();
    }

    internal static (string Certificate, string Authority) MakeCertificate(string directory)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 own = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        string authority = Path.Combine(directory, "authority.pem");
        string certificate = Path.Combine(directory, "server.pem");
        File.WriteAllText(authority, own.ExportCertificatePem());
        File.WriteAllText(certificate, own.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        return (certificate, authority);
    }
}
