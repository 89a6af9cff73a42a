using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>Two routers that configuration files describe: between them TLS and a login by certificate, for clients
/// listeners that differ.</summary>
public sealed class ConfTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _open = Port();
    private readonly string _narrow = Port();
    private readonly string _closed = Port();
    private readonly string _other = Port();
    private readonly string _plugged = Port();
    private readonly string _service = Port();
    private readonly string _tenants = Port();
    private PillarboxProcess _first = null!;
    private PillarboxProcess _second = null!;

    public async ValueTask InitializeAsync()
    {
        string routers = Port();
        (string certificate, string authority) = UplinkTests.MakeCertificate(_folder.Path);
        string profile = $$"""
            sslProfile {
                name: ours
                certFile: {{certificate}}
                privateKeyFile: {{certificate}}
                caCertFile: {{authority}}
                uidFormat: n
                protocols: TLSv1.3
            }
            """;
        _first = Start("A", FirstOf(profile, routers));
        await _first.SaysAsync($"Listening on 127.0.0.1:{routers}");
        _second = Start("B", $$"""
            {{profile}}
            connector {
                host: 127.0.0.1
                port: {{routers}}
                role: inter-router
                sslProfile: ours
                saslMechanisms: EXTERNAL
            }
            listener {
                host: 127.0.0.1
                port: {{_other}}
            }
            """);
        await _second.SaysAsync("NeighborUp A");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PillarboxProcess? router in (PillarboxProcess?[])[_second, _first])
        {
            if (router is not null)
            {
                await router.DisposeAsync();
            }
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Routers_log_in_by_certificate_and_each_listener_has_its_own_rules()
    {
        await RunAsync("logged_in", _open, "localhost");
        await RunAsync("through", _open, Url(_other));
        await RunAsync("demands_login", _closed);
        await RunAsync("narrow", _narrow);
        await RunAsync("usual", _open);
        await RunAsync("asks_a_service", _plugged, _service);
        await RunAsync("asked_for", _open, _tenants);
    }

    // Between routers TLS and a certificate; for clients one listener of each kind.
    private string FirstOf(string profile, string routers) => $$"""
            {{profile}}
            listener {
                host: 127.0.0.1
                port: {{routers}}
                role: inter-router
                sslProfile: ours
                requireSsl: yes
                authenticatePeer: yes
                saslMechanisms: EXTERNAL
            }
            listener {
                host: 127.0.0.1
                port: {{_open}}
            }
            listener {
                host: 127.0.0.1
                port: {{_narrow}}
                authenticatePeer: no
                maxFrameSize: 2048
                maxSessions: 5
                idleTimeoutSeconds: 8
                linkCapacity: 7
                stripAnnotations: no
            }
            listener {
                host: 127.0.0.1
                port: {{_closed}}
                authenticatePeer: yes
            }
            listener {
                host: 127.0.0.1
                port: {{_plugged}}
                saslPlugin: logins
            }
            listener {
                host: 127.0.0.1
                port: {{_tenants}}
                sslProfile: ours
                multiTenant: yes
                authenticatePeer: no
            }
            authServicePlugin {
                name: logins
                host: 127.0.0.1
                port: {{_service}}
                realm: shop.example
            }
            """;

    private static async Task RunAsync(string scenario, string port, params string[] more)
    {
        string[] command = [Programs.Script("Router", "conf.py"), scenario, Url(port), .. more];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    private static string Port() =>
        LoopbackPort.Free().ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Url(string port) => $"amqp://127.0.0.1:{port}";

    [Fact]
    public async Task Users_of_a_file_log_in_and_do_what_their_roles_allow()
    {
        string data = Path.Combine(_folder.Path, "users");
        foreach ((string name, string role) in ((string, string)[])[("ann", "admin"), ("bob", "client")])
        {
            ClientResult added = await ClientProcess.RunAsync(
                Programs.Pillarbox, ["user", "add", name, "--role", role, "--data", data], "right\n");
            Assert.True(added.ExitCode == 0, added.Everything);
        }

        string port = Port();
        await using PillarboxProcess router = Start(
            "U", $"listener {{\nhost: 127.0.0.1\nport: {port}\n}}", "--users", Path.Combine(data, "users.json"));
        await router.SaysAsync($"Listening on 127.0.0.1:{port}");
        await RunAsync("has_users", port);
    }

    private PillarboxProcess Start(string id, string entities, params string[] more)
    {
        string conf = Path.Combine(_folder.Path, $"{id}.conf");
        File.WriteAllText(conf, $$"""
            router {
                mode: interior
                id: {{id}}
            }
            {{entities}}
            """);
        return PillarboxProcess.StartRouter(conf, more);
    }
}
