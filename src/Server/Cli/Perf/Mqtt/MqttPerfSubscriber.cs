using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>Takes everything that is published, and answers as its QoS demands.</summary>
internal sealed class MqttPerfSubscriber : IMqttPerfRole
{
    private readonly PerfSchedule _schedule;

    public MqttPerfSubscriber(MqttPerfOptions options, PerfSchedule schedule, int index)
    {
        _schedule = schedule;
        string client = $"perf-s{index}";
        if (options.Persistent)
        {
            // Ends the session of an earlier measurement, with what it left unfinished.
            new MqttLink(options, client, clean: true).Dispose();
        }

        Link = new MqttLink(options, client, clean: !options.Persistent);
        Link.Subscribe(options.Topic + "/+", options.Qos);
    }

    public MqttLink Link { get; }

    /// <summary>From the time of sending to the arrival, measured phase only.</summary>
    public PerfHistogram Delivered { get; } = new();

    public bool Work(long now) => false;

    public void Read(long now)
    {
        int received = 0;
        while (Link.TryTake(out FixedHeader header, out ReadOnlySpan<byte> body))
        {
            if (header.Type == PacketType.PubRel)
            {
                AckPacket release = AckPacket.Read(header.Type, body, MqttVersion.V311);
                new AckPacket(PacketType.PubComp, release.PacketId).Write(Link.Output, MqttVersion.V311);
            }
            else if (header.Type == PacketType.Publish)
            {
                received += Take(PublishPacket.Read(header.Flags, body, MqttVersion.V311), now) ? 1 : 0;
            }
        }

        if (received > 0)
        {
            _schedule.AddReceived(received);
        }
    }

    public void Dispose() => Link.Dispose();

    // False: another measurement left it behind.
    private bool Take(PublishPacket packet, long now)
    {
        if (packet.Qos > 0)
        {
            PacketType answer = packet.Qos == 1 ? PacketType.PubAck : PacketType.PubRec;
            new AckPacket(answer, packet.PacketId).Write(Link.Output, MqttVersion.V311);
        }

        if (packet.Payload.Length < MqttPerfOptions.BodyBytesMin
            || !PerfBody.TryRead(packet.Payload, out long stamp, out _, out _))
        {
            return false;
        }

        if (_schedule.IsMeasured(now))
        {
            Delivered.Record(now - stamp);
        }

        return true;
    }
}
