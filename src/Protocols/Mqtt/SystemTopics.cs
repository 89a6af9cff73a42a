using System.Buffers;
using System.Globalization;
using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Management;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>
/// The topics below <c>$SYS/broker</c>: figures of the node, retained, published again and again. Their names are those
/// that other MQTT servers have too. Run by the clock's tick, one at a time.
/// </summary>
internal sealed class SystemTopics(MqttEnvironment environment)
{
    private const string Root = "$SYS/broker/";

    private long _nextMs;
    private readonly Lock _publishing = new();
    private int _isRunning;
    private bool _isStopped;

    /// <summary>Publishes the figures when it is time. Never throws.</summary>
    public async Task TickAsync(long nowMs)
    {
        int interval = environment.Options.SystemTopicsIntervalMs;
        bool isDue = interval > 0 && environment.IsUsed && nowMs >= Volatile.Read(ref _nextMs);
        if (!isDue || Interlocked.Exchange(ref _isRunning, 1) != 0)
        {
            return;
        }

        Volatile.Write(ref _nextMs, nowMs + interval);
        try
        {
            NodeView node = await environment.Broker.Management.GetNodeAsync().ConfigureAwait(false);
            lock (_publishing)
            {
                if (!_isStopped)
                {
                    Publish(Figures(node));
                }
            }
        }
        catch (BrokerException)
        {
            // The node stops.
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }

    /// <summary>Nothing is published when this has returned: the broker is closed next. Any thread.</summary>
    public void Stop()
    {
        lock (_publishing)
        {
            _isStopped = true;
        }
    }

    private void Publish(IEnumerable<(string Topic, string Value)> figures)
    {
        Retained.RetainedStore retained = environment.RetainedOf("default");
        using BrokerClient client = environment.Broker.Connect(
            new ClientInfo { Identity = Identity.Node, ClientId = "$SYS", Protocol = "mqtt" }, NoWake.Instance);
        Producer producer = client.OpenProducer(new ProducerOptions { MakesNoAddress = true });
        foreach ((string topic, string value) in figures)
        {
            byte[] name = Encoding.UTF8.GetBytes(Root + topic);
            var message = new MqttMessageMap
            {
                Retain = true,
                Topic = name,
                Payload = Encoding.UTF8.GetBytes(value),
            };
            byte[] stored = new byte[message.Bytes];
            message.Write(stored);
            var header = new MessageHeader { Format = PayloadFormat.Mqtt };
            client.Publish(producer, header, new ReadOnlySequence<byte>(stored), 0, TopicNames.ToAddress(name));
            retained.SetInMemory(new Retained.RetainedMessage(Root + topic, stored, 0, 0));
        }

        client.Flush();
    }

    private IEnumerable<(string Topic, string Value)> Figures(NodeView node)
    {
        yield return ("version", $"pillarbox {node.Version}");
        yield return ("uptime", $"{Text((environment.UnixMs - node.StartedAtMs) / 1000)} seconds");
        yield return ("clients/connected", Text(environment.Clients.Count));
        yield return ("connections", Text(node.Connections));
        yield return ("messages/stored", Text(node.Messages));
        yield return ("messages/received", Text(node.PublishedTotal));
        yield return ("messages/sent", Text(node.DeliveredTotal));
        yield return ("retained messages/count", Text(environment.RetainedOf("default").Count));
        yield return ("store/journal/bytes", Text(node.JournalBytes));
        yield return ("store/full", node.DiskFull ? "1" : "0");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
