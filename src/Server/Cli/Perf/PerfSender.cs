using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>
/// Sends as fast as credit and the number in flight allow, or at even intervals whatever the server does: then a
/// message's time is when it should have gone out, so that a stall of the server counts for all that it delays.
/// </summary>
internal sealed class PerfSender : IPerfRole, ISenderEvents
{
    private const int BurstMessages = 128;
    private const int BurstBytes = 128 * 1024;
    private const int StampEvery = 16;
    private readonly PerfOptions _options;
    private readonly PerfSchedule _schedule;
    private readonly SendingPhase _phase;
    private readonly ClientSender _link;
    private readonly ClientSession _session;
    private readonly byte[] _message;
    private readonly long[] _stamps;
    private readonly double _intervalNs;
    private long _sequence;
    private long _intended;

    public PerfSender(PerfOptions options, PerfSchedule schedule, int index)
    {
        _options = options;
        _schedule = schedule;
        _phase = schedule.BeginSending();
        _intervalNs = options.Rate > 0 ? options.Senders * 1e9 / options.Rate : 0;
        Client = NetworkClient.Open(options.Target, $"perf-{Environment.ProcessId}-s{index}");
        _session = Client.Connection.BeginSession();
        var target = new Target
        {
            Address = options.SendAddressOf(index),
            Capabilities = options.FanOut ? ["topic"] : null,
        };
        SenderSettleMode mode = options.PreSettled ? SenderSettleMode.Settled : SenderSettleMode.Unsettled;
        _link = _session.AttachSender($"perf-s{index}", target, mode, this);
        Client.WaitForAttach(_link, target.Address);
        _message = PerfBody.Encode(options, index);
        _stamps = new long[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)options.InFlight * 2)];
    }

    public NetworkClient Client { get; }

    /// <summary>From the intended time of sending to the acknowledgement, measured phase only.</summary>
    public PerfHistogram Acknowledged { get; } = new();

    /// <summary>
    /// How late messages went out, where a rate is kept: the load generator's own fault or the server's.
    /// </summary>
    public PerfHistogram Lateness { get; } = new();

    /// <summary>Messages that the server did not accept.</summary>
    public long Refused { get; private set; }

    public int Unsettled => _session.UnsettledCount;

    /// <inheritdoc/>
    public long Work(long now)
    {
        if (_phase.IsOver(now))
        {
            return long.MaxValue;
        }
        return _intervalNs > 0 ? SendDue(now) : SendBurst(now);
    }

    /// <inheritdoc/>
    public void Read(long now) => Client.Read();

    /// <inheritdoc/>
    public void OnSettled(ClientSender sender, uint first, uint last, in DeliveryOutcome outcome)
    {
        if (outcome.Kind is not (DeliveryStateKind.Accepted or DeliveryStateKind.None))
        {
            Refused += unchecked(last - first) + 1;
            return;
        }
        long now = Clock.Now;
        if (!_schedule.IsMeasured(now))
        {
            return;
        }
        for (uint id = first; id != last + 1; id++)
        {
            Acknowledged.Record(now - _stamps[id & (uint)(_stamps.Length - 1)]);
        }
    }

    private bool CanSend => _link.CanSend && _session.UnsettledCount < _options.InFlight
        && Client.Connection.Output.Count < BurstBytes;

    // Large messages fill the output long before the window: what the socket takes makes room for more.
    private bool CanSendNow()
    {
        if (Client.Connection.Output.Count >= BurstBytes)
        {
            Client.Flush();
        }

        return CanSend;
    }

    private long SendBurst(long now)
    {
        long stamp = now;
        int sent = 0;
        while (sent < BurstMessages && CanSendNow())
        {
            Send(stamp);
            sent++;
            if (sent % StampEvery == 0)
            {
                stamp = Clock.Now;
            }
        }
        _schedule.AddSent(sent);
        return sent == BurstMessages ? now : long.MaxValue;
    }

    private long SendDue(long now)
    {
        int sent = 0;
        long due = DueOf(_intended);
        while (due <= now && sent < BurstMessages && CanSend)
        {
            if (_schedule.IsMeasured(now))
            {
                Lateness.Record(now - due);
            }
            Send(due);
            sent++;
            due = DueOf(++_intended);
        }
        _schedule.AddSent(sent);
        return CanSend ? due : long.MaxValue;
    }

    private long DueOf(long index) => _schedule.Start + (long)(index * _intervalNs);

    private void Send(long stamp)
    {
        PerfBody.Stamp(_message.AsSpan(_message.Length - _options.BodyBytes), stamp, _sequence++);
        uint id = _link.Send(_message, _options.PreSettled);
        _stamps[id & (uint)(_stamps.Length - 1)] = stamp;
    }
}
