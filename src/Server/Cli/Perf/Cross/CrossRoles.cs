using Pillarbox.Server.Cli.Perf.Messaging;
using Pillarbox.Server.Cli.Perf.Mqtt;
using Pillarbox.Server.Cli.Perf.OpenWire;
using Pillarbox.Server.Cli.Perf.Stomp;

namespace Pillarbox.Server.Cli.Perf.Cross;

/// <summary>Senders and receivers by the names of their protocols.</summary>
internal static class CrossRoles
{
    public static IMessagingSender Sender(CrossPerfOptions options, PerfSchedule schedule) => options.From switch
    {
        "amqp" => new AmqpSending(new PerfSender(options.ToAmqp(isSender: true), schedule, 0), schedule),
        "mqtt" => new MqttSending(new MqttPerfPublisher(options.ToMqtt(), schedule, 0), schedule),
        "openwire" => new OpenWirePerfSender(options.ToOpenWire(isSender: true), schedule, 0),
        _ => new StompPerfSender(options.ToStomp(isSender: true), schedule, 0),
    };

    public static IMessagingReceiver Receiver(CrossPerfOptions options, PerfSchedule schedule) => options.To switch
    {
        "amqp" => new AmqpReceiving(new PerfReceiver(options.ToAmqp(isSender: false), schedule, 0), schedule),
        "openwire" => new OpenWirePerfReceiver(options.ToOpenWire(isSender: false), schedule, 0),
        _ => new StompPerfReceiver(options.ToStomp(isSender: false), schedule),
    };

    private sealed class AmqpSending(PerfSender sender, PerfSchedule schedule) : IMessagingSender
    {
        public PerfHistogram Acknowledged => sender.Acknowledged;

        public long Measured => sender.Acknowledged.Count;

        public void Run() => new PerfWorker("perf sender", [sender], schedule).Run();

        public void Dispose()
        {
            sender.Client.Close();
            sender.Client.Dispose();
        }
    }

    private sealed class MqttSending(MqttPerfPublisher publisher, PerfSchedule schedule) : IMessagingSender
    {
        public PerfHistogram Acknowledged => publisher.Acknowledged;

        public long Measured => publisher.Sent;

        public void Run() => new MqttPerfWorker([publisher], schedule).Run();

        public void Dispose() => publisher.Dispose();
    }

    private sealed class AmqpReceiving(PerfReceiver receiver, PerfSchedule schedule) : IMessagingReceiver
    {
        public long Measured => receiver.Measured;

        public PerfHistogram Delivered => receiver.Delivered;

        public long OutOfOrder => receiver.OutOfOrder;

        public long Foreign => receiver.Foreign;

        public void Run() => new PerfWorker("perf receiver", [receiver], schedule).Run();

        public void Dispose()
        {
            receiver.Client.Close();
            receiver.Client.Dispose();
        }
    }
}
