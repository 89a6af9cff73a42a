using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>
/// A router that a <c>qdrouterd.conf</c> describes, in front of another project's broker with a login, and a second
/// router behind it.
/// </summary>
public sealed class RabbitTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _port = $"{LoopbackPort.Free()}";
    private RabbitProcess _rabbit = null!;
    private PillarboxProcess _near = null!;
    private PillarboxProcess _far = null!;

    public async ValueTask InitializeAsync()
    {
        try
        {
            await StartAsync();
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    private async Task StartAsync()
    {
        _rabbit = await RabbitProcess.StartAsync();
        string routers = $"{LoopbackPort.Free()}";
        string conf = Path.Combine(_folder.Path, "qdrouterd.conf");
        await File.WriteAllTextAsync(conf, Configuration(routers));
        _near = PillarboxProcess.StartRouter(conf);
        await _near.SaysAsync($"Listening on 127.0.0.1:{routers}");
        await _near.SaysAsync("auto link to-jobs on connection rabbit: attached");
        await _near.SaysAsync("auto link from-jobs on connection rabbit: attached");
        _far = await PillarboxProcess.StartAsync(
            ":memory:", ownListeners: true,
            "--mode", "interior", "--id", "F", "--listen", "amqp=127.0.0.1:0",
            "--connect", $"inter-router=127.0.0.1:{routers}",
            "--set", "router.addresses.0.pattern=jobs", "--set", "router.addresses.0.waypoint=true");
        await _far.SaysAsync("radius 1");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable? process in (IAsyncDisposable?[])[_far, _near, _rabbit])
        {
            if (process is not null) await process.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Message_goes_by_way_of_the_broker()
    {
        // Once: this broker ends the session when the last consumer is gone and its credit is drained.
        string[] command = [Programs.Script("Router", "containers.py"), "once", "jobs", _far.AmqpUrl];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    [Fact]
    public Task Links_go_through_to_the_broker() => RunAsync("through", "/queue/direct", "queue");

    private async Task RunAsync(string scenario, string address, params string[] more)
    {
        string[] command =
        [
            Programs.Script("Router", "containers.py"), scenario, address, _rabbit.Url, $"amqp://127.0.0.1:{_port}",
            _far.AmqpUrl, .. more,
        ];
        (await ClientProcess.RunAsync(Programs.Python, command)).AssertOk();
    }

    private string Configuration(string routers) =>
        $$"""
        router {
            mode: interior
            id: N
        }
        listener {
            host: 127.0.0.1
            port: {{_port}}
        }
        listener {
            host: 127.0.0.1
            port: {{routers}}
            role: inter-router
        }
        connector {
            name: rabbit
            host: 127.0.0.1
            port: {{_rabbit.Port}}
            role: route-container
            saslUsername: {{RabbitProcess.User}}
            saslPassword: file:{{_rabbit.PasswordFile}}
        }
        address {
            prefix: jobs
            waypoint: yes
        }
        autoLink {
            name: to-jobs
            address: jobs
            direction: out
            connection: rabbit
            externalAddress: /queue/jobs
        }
        autoLink {
            name: from-jobs
            address: jobs
            direction: in
            connection: rabbit
            externalAddress: /queue/jobs
        }
        linkRoute {
            prefix: queue
            direction: in
            connection: rabbit
        }
        linkRoute {
            prefix: queue
            direction: out
            connection: rabbit
        }

        """;
}
