using Pillarbox.Broker;
using Pillarbox.Broker.Management;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>Why the node ends a connection that has done nothing wrong (MQTT 5.0 §2.4, §3.14.2.1).</summary>
public sealed class ReasonCodeTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task An_operator_closes_a_connection(byte version)
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", (MqttVersion)version);
        IReadOnlyList<ConnectionView> all = await scene.Broker.Management.ListConnectionsAsync(Identity.Node);
        string id = all.Single(one => one.ClientId == "c").Id;
        await scene.Broker.Management.CloseConnectionAsync(Identity.Node, id);
        if (client.Version == MqttVersion.V5)
        {
            Assert.Equal(ReasonCode.AdministrativeAction, await client.ExpectEndAsync());
        }
        else
        {
            await client.AssertEndedAsync();
        }
    }

    // Retained messages would be kept no longer.
    [Fact]
    public async Task An_operator_does_not_close_what_the_node_itself_keeps_open()
    {
        await using var scene = new MqttScene();
        await scene.ConnectAsync("c");
        IReadOnlyList<ConnectionView> all = await scene.Broker.Management.ListConnectionsAsync(Identity.Node);
        string id = all.Single(one => one.ClientId == RetainedStore.QueueName).Id;
        BrokerException refusal = await Assert.ThrowsAsync<BrokerException>(
            () => scene.Broker.Management.CloseConnectionAsync(Identity.Node, id));
        Assert.Equal(BrokerError.PreconditionFailed, refusal.Error);
    }

    [Fact]
    public async Task The_node_stops()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c");
        Task drained = scene.Broker.DrainAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(ReasonCode.ServerShuttingDown, await client.ExpectEndAsync());
        while (!drained.IsCompleted)
        {
            scene.Clock.Advance(20);
            await Task.Delay(1);
        }
    }

    [Fact]
    public async Task A_queue_that_is_deleted_ends_its_session()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", clean: false, expiry: 1000);
        await client.SubscribeAsync("t", 1);
        await scene.Broker.Management.DeleteQueueAsync(
            Identity.Node, "default", SessionNames.Queue("c"), ifUnused: false);
        Assert.Equal(ReasonCode.AdministrativeAction, await client.ExpectEndAsync());
    }
}
