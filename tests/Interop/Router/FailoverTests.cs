using Pillarbox.Hosting.Tests.Listeners;
using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>
/// A router that logs in to brokers over TLS: past a place where nobody listens, and when its broker dies on to the one
/// that it had named.
/// </summary>
public sealed class FailoverTests : IDisposable
{
    private const string Password = "correct horse battery";
    private const string Broker = """
        {
          "listeners": {
            "amqp": {
              "addresses": ["127.0.0.1:PORT"], "failoverUrls": ["amqps://localhost:OTHER"],
              "tls": { "certificate": "SERVER" }
            }
          },
          "security": {
            "permissions": { "#": { "client": ["send", "consume", "createAddress", "createDurableQueue"] } }
          }
        }
        """;

    private const string Router = """
        {
          "listeners": { "amqp": { "addresses": ["127.0.0.1:0"] } },
          "router": {
            "id": "R",
            "addresses": [ { "prefix": "work", "waypoint": true } ],
            "autoLinks": [
              { "name": "to", "address": "work", "direction": "out", "connection": "broker" },
              { "name": "from", "address": "work", "direction": "in", "connection": "broker" }
            ],
            "connectors": {
              "broker": {
                "role": "routeContainer", "addresses": ["localhost:NOBODY", "localhost:PORT"],
                "user": "router", "passwordFile": "PASSWORD", "tls": { "authorities": "AUTHORITY" }
              }
            }
          }
        }
        """;

    private readonly TemporaryDirectory _folder = new();
    private readonly Certificates _certificates = new();

    public void Dispose()
    {
        _certificates.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Router_goes_on_to_the_place_that_its_broker_has_named()
    {
        (string first, string second) = ($"{LoopbackPort.Free()}", $"{LoopbackPort.Free()}");
        await using PillarboxProcess one = await StartBrokerAsync("one", first, second);
        await using PillarboxProcess two = await StartBrokerAsync("two", second, first);
        await using PillarboxProcess router = await StartRouterAsync(first);
        await router.SaysAsync("auto link from on connection broker: attached");
        await SendAndTakeAsync(router);
        Assert.Contains($"connector broker to localhost:{first}: connected", router.Output, StringComparison.Ordinal);

        await one.KillAsync();
        await router.SaysAsync($"localhost:{second}: connected");
        await router.SaysAsync("auto link from on connection broker: attached", times: 2);
        await SendAndTakeAsync(router);
        Assert.DoesNotContain(Password, router.Output, StringComparison.Ordinal);
    }

    private static async Task SendAndTakeAsync(PillarboxProcess router)
    {
        string[] command = [Programs.Script("Router", "containers.py"), "once", "work", router.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    private async Task<PillarboxProcess> StartBrokerAsync(string name, string port, string other)
    {
        string data = _folder.File(name);
        ClientResult added = await ClientProcess.RunAsync(
            Programs.Pillarbox, ["user", "add", "router", "--data", data], Password + "\n");
        Assert.True(added.ExitCode == 0, added.Everything);
        string server = _certificates.WritePem($"{name}.pem", _certificates.Server, key: true);
        string config = await WriteAsync(
            $"{name}.json", Broker, ("PORT", port), ("OTHER", other), ("SERVER", server));
        return await PillarboxProcess.StartAsync(data, ownListeners: true, "--config", config);
    }

    private async Task<PillarboxProcess> StartRouterAsync(string port)
    {
        string password = _folder.File("password");
        await File.WriteAllTextAsync(password, Password);
        string authority = _certificates.WritePem("ca.pem", _certificates.Authority, key: false);
        string config = await WriteAsync(
            "router.json", Router, ("NOBODY", $"{LoopbackPort.Free()}"), ("PORT", port), ("PASSWORD", password),
            ("AUTHORITY", authority));
        return await PillarboxProcess.StartAsync(":memory:", ownListeners: true, "--config", config);
    }

    private async Task<string> WriteAsync(string name, string text, params (string Word, string Value)[] values)
    {
        foreach ((string word, string value) in values)
        {
            text = text.Replace(word, value, StringComparison.Ordinal);
        }

        string file = _folder.File(name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }
}
