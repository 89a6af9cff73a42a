using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pillarbox.Broker.Queues;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Model;
using Pillarbox.Router;
using Pillarbox.Storage;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Hosting.Tests;

public sealed class NodeTests
{
    [Fact]
    public async Task A_test_starts_a_node_with_one_line()
    {
        await using var node = await PillarboxTestHost.StartAsync();
        Assert.StartsWith("amqp://127.0.0.1:", node.AmqpUrl, StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.Equal("ok", await http.GetStringAsync($"{node.HttpUrl}/health/ready"));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, new Uri(node.AmqpUrl).Port);
        NetworkStream stream = tcp.GetStream();
        byte[] header = [(byte)'A', (byte)'M', (byte)'Q', (byte)'P', 3, 1, 0, 0];
        await stream.WriteAsync(header);
        byte[] answer = new byte[8];
        await stream.ReadExactlyAsync(answer);
        Assert.Equal(header, answer);
    }

    [Fact]
    public async Task Two_nodes_in_one_process_are_apart()
    {
        await using var one = await PillarboxTestHost.StartAsync(c => c with { Queues = [new() { Name = "orders" }] });
        await using var two = await PillarboxTestHost.StartAsync();
        Assert.NotEqual(one.AmqpUrl, two.AmqpUrl);
        Assert.NotNull(await one.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders"));
        Assert.Null(await two.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders"));
    }

    [Fact]
    public async Task A_generic_host_starts_and_stops_a_node()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Services.AddPillarbox(o =>
        {
            o.UseMemory();
            o.Listen(ListenerProtocol.Http, "127.0.0.1:0");
            o.AddQueue(new QueueEntryConfig { Name = "orders" });
        });
        using IHost host = builder.Build();
        await host.StartAsync();
        PillarboxNode node = host.Services.GetRequiredService<PillarboxService>().Node;
        Assert.NotNull(await node.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders"));
        using var http = new HttpClient();
        string url = node.Endpoints.Single().Url;
        Assert.Equal("ok", await http.GetStringAsync($"{url}/health/live"));
        await host.StopAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync($"{url}/health/live"));
    }

    [Fact]
    public async Task Configured_queues_are_made_once_and_kept_when_they_differ()
    {
        var files = new MemoryFileSystem();
        var seams = new NodeSeams { FileSystem = files };
        await using (await PillarboxTestHost.StartAsync(c => c with { Queues = [new() { Name = "orders" }] }, seams))
        {
        }

        PillarboxConfig Changed(PillarboxConfig c) =>
            c with { Queues = [new() { Name = "orders", RoutingType = RoutingType.Multicast }] };
        await using var again = await PillarboxTestHost.StartAsync(Changed, seams);
        QueueConfig kept = (await again.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders"))!.Config;
        Assert.Equal(RoutingType.Anycast, kept.RoutingType);
    }

    [Fact]
    public async Task A_start_that_fails_gives_the_data_free()
    {
        var seams = new NodeSeams { FileSystem = new MemoryFileSystem() };
        PillarboxConfig Broken(PillarboxConfig c) => c with
        {
            Router = new RouterSection
            {
                Mode = RouterMode.Standalone,
                Policy = new RouterPolicyConfig { PolicyDir = "/nonexistent/policy" },
            },
        };
        await Assert.ThrowsAsync<ConfigException>(() => PillarboxTestHost.StartAsync(Broken, seams));
        await using var node = await PillarboxTestHost.StartAsync(c => c, seams);
        Assert.NotEmpty(node.Node.Endpoints);
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("*:0")]
    [InlineData("[::]:0")]
    public async Task A_node_without_users_is_not_opened_to_the_network(string address)
    {
        var error = await Assert.ThrowsAsync<StartException>(() => PillarboxTestHost.StartAsync(c => c with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["amqp"] = new() { Addresses = [address] } },
        }));
        Assert.Equal(
            $"listener amqp ({address}): refused, for without users anybody could connect; "
                + "add a user (pillarbox user add NAME --role admin) or listen on 127.0.0.1",
            error.Message);
    }

    [Fact]
    public async Task A_node_that_demands_a_login_may_listen_everywhere_and_lets_nobody_in()
    {
        await using var node = await PillarboxTestHost.StartAsync(c => c with
        {
            Security = new SecuritySection { Required = true },
            Listeners = new Dictionary<string, ListenerConfig> { ["http"] = new() { Addresses = ["0.0.0.0:0"] } },
        });
        using var http = new HttpClient();
        using HttpResponseMessage response = await http.GetAsync($"{node.HttpUrl}/api/v1/queues");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Stopping_twice_is_stopping_once()
    {
        var node = await PillarboxTestHost.StartAsync();
        await node.DisposeAsync();
        await node.DisposeAsync();
    }

    [Fact]
    public async Task Data_outlives_the_node()
    {
        var seams = new NodeSeams { FileSystem = new MemoryFileSystem() };
        await using (var first = await PillarboxTestHost.StartAsync(seams: seams))
        {
            var queue = new QueueConfig { Name = "orders", Address = "orders" };
            await first.Broker.Management.CreateQueueAsync(Identity.Node, "default", queue);
        }

        await using var second = await PillarboxTestHost.StartAsync(seams: seams);
        Assert.NotNull(await second.Broker.Management.FindQueueAsync(Identity.Node, "default", "orders"));
    }
}
