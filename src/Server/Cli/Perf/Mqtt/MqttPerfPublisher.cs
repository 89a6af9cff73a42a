using System.Text;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Server.Cli.Perf.Mqtt;

/// <summary>Publishes as fast as the number under way allows.</summary>
internal sealed class MqttPerfPublisher : IMqttPerfRole
{
    private const int OutputBytesMax = 256 << 10;

    private readonly MqttPerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly byte[] _topic;
    private readonly SendingPhase _phase;
    private readonly byte[] _body;
    private readonly long[] _stamps = new long[ushort.MaxValue + 1];
    private int _unanswered;
    private ushort _lastId;
    private long _sequence;

    public MqttPerfPublisher(MqttPerfOptions options, PerfSchedule schedule, int index)
    {
        _options = options;
        _schedule = schedule;
        _phase = schedule.BeginSending();
        _topic = Encoding.UTF8.GetBytes($"{options.Topic}/{index}");
        _body = new byte[options.BodyBytes];
        PerfBody.Fill(_body, index);
        Link = new MqttLink(options, $"perf-p{index}-{Environment.ProcessId}", clean: true);
    }

    public MqttLink Link { get; }

    /// <summary>From the time of sending to PUBACK or PUBCOMP, measured phase only.</summary>
    public PerfHistogram Acknowledged { get; } = new();

    /// <summary>Messages sent in the measured phase.</summary>
    public long Sent { get; private set; }

    public bool IsQuiet => _unanswered == 0;

    // What is answered may still wait for its subscribers: a server whose queues grow shows no rate that lasts.
    private bool CanSend => Link.Unsent < OutputBytesMax && _unanswered < _options.InFlight
        && (_options.Subscribers == 0
            || (_schedule.Sent * _options.Subscribers) - _schedule.Received
                < (long)_options.InFlight * _options.Publishers * _options.Subscribers * (_options.Qos > 0 ? 4 : 1));

    public bool Work(long now)
    {
        while (!_phase.IsOver(now) && CanSend)
        {
            Publish(now);
            now = Clock.Now;
        }

        return !_phase.IsOver(now) && _unanswered < _options.InFlight;
    }

    public void Read(long now)
    {
        while (Link.TryTake(out FixedHeader header, out ReadOnlySpan<byte> body))
        {
            if (header.Type is not (PacketType.PubAck or PacketType.PubRec or PacketType.PubComp))
            {
                continue;
            }

            AckPacket ack = AckPacket.Read(header.Type, body, MqttVersion.V311);
            if (ack.Type == PacketType.PubRec)
            {
                new AckPacket(PacketType.PubRel, ack.PacketId).Write(Link.Output, MqttVersion.V311);
                continue;
            }

            _unanswered--;
            if (_schedule.IsMeasured(now))
            {
                Acknowledged.Record(now - _stamps[ack.PacketId]);
            }
        }
    }

    public void Dispose() => Link.Dispose();

    private void Publish(long now)
    {
        PerfBody.Stamp(_body, now, _sequence++);
        if (_options.Qos > 0)
        {
            _lastId = _lastId == ushort.MaxValue ? (ushort)1 : (ushort)(_lastId + 1);
            _stamps[_lastId] = now;
            _unanswered++;
        }

        new PublishPacket
        {
            Topic = _topic,
            Payload = _body,
            Qos = (byte)_options.Qos,
            PacketId = _options.Qos > 0 ? _lastId : (ushort)0,
        }.Write(Link.Output, MqttVersion.V311);
        _schedule.AddSent(1);
        Sent += _schedule.IsMeasured(now) ? 1 : 0;
    }
}
