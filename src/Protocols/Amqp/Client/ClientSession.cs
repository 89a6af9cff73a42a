using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>The client's end of a session (part 2 section 2.5): windows, delivery ids, links. One thread.</summary>
public sealed class ClientSession
{
    private readonly ClientConnection _connection;
    private readonly ushort _channel;
    private readonly List<ClientLink> _links = [];
    private readonly Dictionary<uint, ClientLink> _byRemoteHandle = [];
    private readonly List<ClientReceiver> _creditDue = [];
    private readonly DispositionBatch _settlements = new();
    private readonly UnsettledRing _unsettled = new();
    private uint _nextOutgoingId;
    private uint _remoteIncomingWindow;
    private uint _nextIncomingId;
    private uint _incomingWindowLeft;

    internal ClientSession(ClientConnection connection, ushort channel)
    {
        _connection = connection;
        _channel = channel;
        _incomingWindowLeft = connection.Options.IncomingWindow;
    }

    public ClientConnection Connection => _connection;

    /// <summary>Whether the peer has begun its end.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Whether the peer has ended it.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Why the peer ended it, if it said so.</summary>
    public AmqpError? Error { get; private set; }

    /// <summary>Transfer frames that may be written now (section 2.5.6).</summary>
    public uint TransferWindow => _remoteIncomingWindow;

    /// <summary>Deliveries sent whose outcome is not known yet.</summary>
    public int UnsettledCount => _unsettled.Count;

    /// <summary>Attaches a link that sends to a target, or to any address when the target's address is null.</summary>
    public ClientSender AttachSender(string name, Terminus target, SenderSettleMode mode, ISenderEvents events)
    {
        ClientSender sender = new(this, name, (uint)_links.Count, events);
        WriteAttach(sender, new Attach
        {
            Name = name,
            Handle = sender.Handle,
            Role = Role.Sender,
            SenderSettleMode = mode,
            Source = new Source { Address = _connection.Options.ContainerId },
            Target = target,
            InitialDeliveryCount = 0,
        });
        return sender;
    }

    /// <summary>Attaches a link that receives; it gets nothing before it gives credit.</summary>
    public ClientReceiver AttachReceiver(string name, Source source, SenderSettleMode mode, IReceiverEvents events)
    {
        ClientReceiver receiver = new(this, name, (uint)_links.Count, events);
        WriteAttach(receiver, new Attach
        {
            Name = name,
            Handle = receiver.Handle,
            Role = Role.Receiver,
            SenderSettleMode = mode,
            Source = source,
            Target = new Target { Address = _connection.Options.ContainerId },
        });
        return receiver;
    }

    internal void WriteBegin()
    {
        Begin begin = new()
        {
            NextOutgoingId = _nextOutgoingId,
            IncomingWindow = _connection.Options.IncomingWindow,
            OutgoingWindow = int.MaxValue,
            HandleMax = 65_535,
        };
        AmqpWriter writer = new(_connection.Output);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        begin.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    internal void Flush()
    {
        WriteSettlements();
        foreach (ClientReceiver receiver in _creditDue)
        {
            receiver.WriteCredit();
        }
        _creditDue.Clear();
        if (_incomingWindowLeft <= _connection.Options.IncomingWindow / 2 && IsOpen)
        {
            WriteFlow(null, drain: false);
        }
    }

    internal void CreditIsDue(ClientReceiver receiver) => _creditDue.Add(receiver);

    internal void Settle(uint deliveryId, DeliveryStateKind outcome)
    {
        if (!_settlements.TryAdd(deliveryId, outcome))
        {
            WriteSettlements();
            _settlements.TryAdd(deliveryId, outcome);
        }
    }

    /// <summary>Gives the next delivery id to a delivery of this sender.</summary>
    internal uint NextDelivery(ClientSender sender, bool settled) => _unsettled.Add(settled ? null : sender);

    /// <summary>Writes a frame of a delivery; <see cref="TransferWindow"/> must not be zero.</summary>
    internal void WriteTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        AmqpWriter writer = new(_connection.Output, TransferBytesMax + payload.Length);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        transfer.Write(ref writer);
        writer.WriteRaw(payload);
        writer.EndFrame(mark);
        writer.Commit();
        _nextOutgoingId++;
        _remoteIncomingWindow--;
    }

    /// <summary>What a frame's header and the transfer performative take at most, in bytes.</summary>
    internal const int TransferBytesMax = 96;

    /// <summary>Writes the session's flow state and, with a link, the link's (section 2.7.4).</summary>
    internal void WriteFlow(ClientLink? link, bool drain)
    {
        _incomingWindowLeft = _connection.Options.IncomingWindow;
        Flow flow = new()
        {
            NextIncomingId = IsOpen ? _nextIncomingId : null,
            IncomingWindow = _incomingWindowLeft,
            NextOutgoingId = _nextOutgoingId,
            OutgoingWindow = int.MaxValue,
            Handle = link?.Handle,
            DeliveryCount = link?.DeliveryCount,
            LinkCredit = link?.Credit,
            Available = link is ClientSender ? 0 : null,
            Drain = drain,
        };
        AmqpWriter writer = new(_connection.Output);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        flow.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    internal void WriteDetach(Detach detach)
    {
        AmqpWriter writer = new(_connection.Output);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        detach.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    internal void OnBegin(Begin begin)
    {
        IsOpen = true;
        _nextIncomingId = begin.NextOutgoingId;
        _remoteIncomingWindow = begin.IncomingWindow;
    }

    internal void OnAttach(Attach attach)
    {
        ClientLink link = _links.Find(l => l.Name == attach.Name && l.IsSender != (attach.Role == Role.Sender))
            ?? throw new AmqpException(AmqpErrorCondition.NotAllowed, $"link {attach.Name} that nobody asked for");
        _byRemoteHandle[attach.Handle] = link;
        link.OnAttach(attach);
    }

    internal void OnFlow(in Flow flow)
    {
        uint sent = unchecked(_nextOutgoingId - (flow.NextIncomingId ?? 0));
        _remoteIncomingWindow = flow.IncomingWindow > sent ? flow.IncomingWindow - sent : 0;
        ClientLink? link = null;
        if (flow.Handle is { } handle && _byRemoteHandle.TryGetValue(handle, out link))
        {
            link.OnFlow(flow);
        }
        if (flow.Echo)
        {
            WriteFlow(link, drain: false);
        }
        ContinueSending();
    }

    internal void OnTransfer(ref AmqpReader reader)
    {
        Transfer transfer = Transfer.ReadFields(ref reader);
        _nextIncomingId++;
        _incomingWindowLeft--;
        if (!_byRemoteHandle.TryGetValue(transfer.Handle, out ClientLink? link) || link is not ClientReceiver receiver)
        {
            throw new AmqpException(AmqpErrorCondition.SessionUnattachedHandle, "a transfer on no receiving link");
        }
        receiver.OnTransfer(transfer, reader.Rest);
    }

    internal void OnDisposition(in Disposition disposition)
    {
        if (disposition.Role != Role.Receiver)
        {
            return;
        }
        DeliveryStateKind outcome = DeliveryState.KindOf(disposition.State);
        bool terminal = outcome is DeliveryStateKind.Accepted or DeliveryStateKind.Rejected
            or DeliveryStateKind.Released or DeliveryStateKind.Modified;
        if (!disposition.Settled && !terminal)
        {
            return;
        }
        uint last = disposition.Last ?? disposition.First;
        if (!disposition.Settled)
        {
            WriteDisposition(Role.Sender, disposition.First, last, disposition.State);
        }
        SettleRange(disposition.First, last, new DeliveryOutcome(outcome, disposition.State));
    }

    internal void OnDetach(Detach detach)
    {
        if (_byRemoteHandle.Remove(detach.Handle, out ClientLink? link))
        {
            link.OnDetach(detach);
        }
    }

    internal void OnEnd(End end)
    {
        Error = end.Error;
        IsEnded = true;
        AmqpWriter writer = new(_connection.Output);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        new End().Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    private void SettleRange(uint first, uint last, in DeliveryOutcome outcome)
    {
        uint next = first;
        while (_unsettled.TakeRun(ref next, last, out ClientSender? sender, out uint runFirst))
        {
            sender.OnSettled(runFirst, next - 1, outcome);
        }
    }

    // A message that did not fit the window goes on when the window opens.
    private void ContinueSending()
    {
        foreach (ClientLink link in _links)
        {
            (link as ClientSender)?.ContinuePending();
        }
    }

    private void WriteAttach(ClientLink link, Attach attach)
    {
        _links.Add(link);
        AmqpWriter writer = new(_connection.Output, 1024);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        attach.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    private void WriteSettlements()
    {
        if (_settlements.TryTake(out uint first, out uint last, out DeliveryStateKind outcome))
        {
            WriteDisposition(Role.Receiver, first, last, outcome switch
            {
                DeliveryStateKind.Accepted => DeliveryState.Accepted,
                DeliveryStateKind.Released => DeliveryState.Released,
                DeliveryStateKind.Rejected => DeliveryState.Rejected,
                _ => DeliveryState.ModifiedFailed,
            });
        }
    }

    private void WriteDisposition(Role role, uint first, uint last, ReadOnlySpan<byte> state)
    {
        Disposition disposition = new()
        {
            Role = role,
            First = first,
            Last = last == first ? null : last,
            Settled = true,
            State = state,
        };
        AmqpWriter writer = new(_connection.Output);
        int mark = writer.BeginFrame(FrameType.Amqp, _channel);
        disposition.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }
}
