using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Connections;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Protocols.Amqp.Termini;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// Where a session endpoint of the node stands (part 2 section 2.5.5).
/// </summary>
internal enum SessionState : byte
{
    /// <summary>Both begins were exchanged.</summary>
    Mapped,

    /// <summary>The node ended it; what the peer still sends on the channel is dropped until its end comes.</summary>
    EndSent,

    /// <summary>Gone.</summary>
    Ended,

    /// <summary>The node began it; the peer's begin is awaited.</summary>
    BeginSent,
}

/// <summary>
/// A session (part 2 section 2.5): windows, links, dispositions. Pure: frames in, calls on the broker's client and
/// frames out.
/// Owned by its connection's loop.
/// </summary>
internal sealed partial class AmqpSession
{
    private Link?[] _links = new Link?[4];

    /// <summary>Answers the peer's begin.</summary>
    public AmqpSession(ConnectionEndpoint connection, ushort channel, ushort peerChannel, Begin begin)
    {
        Connection = connection;
        Channel = channel;
        PeerChannel = peerChannel;
        Window = new SessionWindow(connection.Options, begin);
        Incoming = new DispositionBatch(this, Role.Receiver);
        Outgoing = new DispositionBatch(this, Role.Sender);
        connection.Frames.Write(channel, NewBegin(peerChannel));
    }

    public ConnectionEndpoint Connection { get; }

    /// <summary>The node's own channel: the peer's number when that is free.</summary>
    public ushort Channel { get; }

    /// <summary>The peer's channel.</summary>
    public ushort PeerChannel { get; private set; }

    public SessionState State { get; private set; }

    public SessionWindow Window { get; }

    /// <summary>Deliveries to the peer that it has not settled.</summary>
    public UnsettledMap Unsettled { get; } = new(firstId: 0);

    /// <summary>Dispositions of what the peer sent.</summary>
    public DispositionBatch Incoming { get; }

    /// <summary>Dispositions of what the node sent.</summary>
    public DispositionBatch Outgoing { get; }

    /// <summary>Whether the connection has noted that dispositions wait.</summary>
    public bool OwesDispositions { get; set; }

    /// <summary>Whether the connection has noted that a window is to be told.</summary>
    public bool OwesWindow { get; set; }

    /// <summary>Whether a new delivery may begin: there is a window, and not too much is unsettled.</summary>
    public bool CanBeginDelivery =>
        State == SessionState.Mapped
            && Window.RemoteIncomingWindow > 0 && Unsettled.Count < Connection.Options.UnsettledMax;

    /// <summary>Part 2 section 2.7.3. Errors: handle-in-use; a handle beyond handle-max ends the connection.</summary>
    public void OnAttach(Attach attach)
    {
        if (attach.Handle > Connection.Options.HandleMax)
        {
            throw new AmqpException(
                AmqpErrorCondition.ConnectionFramingError,
                $"handle {attach.Handle} is beyond handle-max {Connection.Options.HandleMax}");
        }

        if (LinkAt(attach.Handle) is not null)
        {
            throw new AmqpException(
                AmqpErrorCondition.SessionHandleInUse, $"handle {attach.Handle} is in use", AmqpSeverity.Session);
        }

        if (!TakesAnswer(attach) && !Connection.DefersUntilTaken(this, attach))
        {
            CompleteAttach(attach);
        }
    }

    /// <summary>The second half of an attach, once the link's name is free.</summary>
    public void CompleteAttach(Attach attach)
    {
        try
        {
            if (Connection.CheckPolicy(attach) is { } denial)
            {
                Refuse(attach, denial);
                return;
            }

            Attach(attach);
        }
        catch (BrokerException refusal)
        {
            Refuse(attach, BrokerErrors.ToError(refusal));
        }
    }

    /// <summary>
    /// Answers an attach that cannot be fulfilled: attached without terminus, and detached at once (part 2 section
    /// 2.6.3).
    /// </summary>
    public void Refuse(Attach attach, AmqpError error)
    {
        bool peerSends = attach.Role == Role.Sender;
        Connection.Frames.Write(Channel, new Attach
        {
            Name = attach.Name,
            Handle = HandleFor(attach),
            Role = peerSends ? Role.Receiver : Role.Sender,
            Source = peerSends ? attach.Source : null,
            Target = peerSends ? null : attach.Target,
            InitialDeliveryCount = peerSends ? null : 0,
        });
        Put(new RefusedLink(this, attach));
        Connection.Frames.Write(Channel, new Detach { Handle = HandleFor(attach), Closed = true, Error = error });
    }

    /// <summary>Answers the attach of a receiver: at once, or when it is known what it resumes.</summary>
    public void AnswerOutgoing(
        Attach attach, Subscription subscription, AmqpMap? unsettled, bool isIncomplete = false) =>
        Connection.Frames.Write(Channel, new Attach
        {
            Name = attach.Name,
            Handle = HandleFor(attach),
            Role = Role.Sender,
            SenderSettleMode = attach.SenderSettleMode,
            ReceiverSettleMode = attach.ReceiverSettleMode,
            Source = subscription.Source,
            Target = attach.Target,
            Unsettled = unsettled,
            IncompleteUnsettled = isIncomplete,
            InitialDeliveryCount = 0,
            MaxMessageSize = 0,
        });

    /// <summary>Part 2 section 2.7.4.</summary>
    public void OnFlow(in Flow flow)
    {
        Window.OnFlow(flow);
        Connection.Turns.OnWindowOpened(this);
        if (flow.Handle is { } handle)
        {
            Link link = RequireLink(handle);
            if (link.State == LinkState.Attached)
            {
                Connection.CurrentLink = link;
                link.OnFlow(flow);
            }
        }
        else if (flow.Echo)
        {
            WriteFlow(default);
        }
    }

    /// <summary>Part 2 section 2.7.5.</summary>
    public void OnTransfer(in Transfer transfer, ReadOnlyMemory<byte> payload)
    {
        Window.OnTransferReceived();
        if (Window.IsUpdateDue)
        {
            Connection.Owed.OweWindow(this);
        }

        Link link = RequireLink(transfer.Handle);
        if (link.State != LinkState.Attached)
        {
            return;
        }

        Connection.CurrentLink = link;
        if (link is not IncomingLink incoming)
        {
            throw new AmqpException(
                AmqpErrorCondition.NotAllowed, "a transfer on a link whose sender is the node", AmqpSeverity.Session);
        }

        incoming.OnTransfer(transfer, payload);
    }

    /// <summary>Part 2 section 2.7.7.</summary>
    public void OnDetach(Detach detach)
    {
        Link link = RequireLink(detach.Handle);
        link.PeerError = detach.Error;
        if (link.State == LinkState.Attached)
        {
            Release(link, detach.Closed ? LinkEnd.Closed : LinkEnd.Detached);
            FlushDispositions();
            Connection.Frames.Write(Channel, new Detach { Handle = link.Handle, Closed = detach.Closed });
        }

        link.State = LinkState.Detached;
        _links[detach.Handle] = null;
        FreeHandle(link.Handle);
    }

    /// <summary>
    /// Ends a link from the node's side, for good: clients hear of a closed link, and attach anew if they want.
    /// </summary>
    public void Detach(Link link, AmqpError? error, LinkEnd end = LinkEnd.Closed, bool closes = true)
    {
        if (link.State != LinkState.Attached)
        {
            return;
        }

        (link as SendingLink)?.AnswerAttach();
        Release(link, end);
        link.State = LinkState.DetachSent;
        FlushDispositions();
        Connection.Frames.Write(Channel, new Detach { Handle = link.Handle, Closed = closes, Error = error });
    }

    /// <summary>The session ends with everything in it; <paramref name="end"/> says why.</summary>
    public void Release(LinkEnd end)
    {
        foreach (Link? link in _links)
        {
            if (link is { State: LinkState.Attached })
            {
                Release(link, end);
                link.State = LinkState.Detached;
            }
        }

        State = SessionState.Ended;
        OnReleased?.Invoke();
    }

    /// <summary>Ends the session because of an error of the peer.</summary>
    public void End(AmqpError? error)
    {
        FlushDispositions();
        Release(LinkEnd.SessionEnd);
        State = SessionState.EndSent;
        Connection.Frames.Write(Channel, new End { Error = error });
    }

    /// <summary>Writes a flow with the session's state and, if it has a handle, a link's.</summary>
    public void WriteFlow(in Flow link)
    {
        Window.Replenish();
        Connection.Frames.Write(Channel, link with
        {
            NextIncomingId = Window.NextIncomingId,
            IncomingWindow = Window.IncomingWindow,
            NextOutgoingId = Window.NextOutgoingId,
            OutgoingWindow = Window.OutgoingWindow,
        });
    }

    public void WriteDisposition(in Disposition disposition) => Connection.Frames.Write(Channel, disposition);

    public void FlushDispositions()
    {
        Incoming.Flush();
        Outgoing.Flush();
    }

    private void Attach(Attach attach)
    {
        if (Connection.Network is { } network && RoutedAttach.Takes(this, network, attach))
        {
            return;
        }

        // All that can be refused by the frame alone is refused here, before anything is opened in the broker.
        if (attach.Role == Role.Receiver)
        {
            AttachSender(attach);
            return;
        }

        if (attach.InitialDeliveryCount is null)
        {
            throw new BrokerException(BrokerError.InvalidField, "a sender's attach needs an initial-delivery-count");
        }

        if (attach.Target is Coordinator coordinator)
        {
            AttachCoordinator(attach, coordinator);
        }
        else
        {
            AttachReceiver(attach);
        }
    }

    private void AttachSender(Attach attach)
    {
        SourceResolver resolver = new(Connection);
        Subscription subscription = resolver.Resolve(attach);
        Consumer? consumer = null;
        try
        {
            consumer = Connection.Client.OpenConsumer(resolver.ToConsumer(attach, subscription));
            if (Connection.Client.FindQueue(subscription.Queue) is { Durable: true, Temporary: false }
                && Connection.DefersUntilMade(this, attach))
            {
                Connection.Client.CloseConsumer(consumer, countAttempts: false);
                return;
            }

            var link = new SendingLink(this, attach, subscription, consumer);
            if (link.Resumes(attach))
            {
                Put(link);
                return;
            }

            AnswerOutgoing(attach, subscription, link.NamesDeliveries && attach.Unsettled is not null ? [] : null);
            Put(link);
        }
        catch
        {
            // Nothing is left of a link that is refused.
            if (consumer is not null)
            {
                Connection.Client.CloseConsumer(consumer, countAttempts: false);
            }

            subscription.TakeBack(Connection);
            throw;
        }
    }

    private void AttachReceiver(Attach attach)
    {
        (Producer producer, DynamicNode? node, Target answer) = TargetResolver.Open(Connection, attach);
        ReceivingLink? link = null;
        try
        {
            if (node is null && producer.Options.Address is not null && Connection.DefersUntilMade(this, attach))
            {
                Connection.Client.CloseProducer(producer);
                return;
            }

            RememberedDeliveries? memory = node is null ? Connection.Names.Remember(attach) : null;
            memory?.Keep(attach.Unsettled, attach.IncompleteUnsettled);
            bool isIncomplete = false;
            int room = (int)Math.Min(Connection.PeerFrameBytesMax, int.MaxValue) / 4;
            AmqpMap? unsettled = memory?.Answer(attach.Unsettled, room, out isIncomplete);
            link = new ReceivingLink(this, attach, producer, node)
            {
                Memory = memory,
                TakesOnlyResumed = isIncomplete,
            };
            AnswerIncoming(attach, answer, unsettled, isIncomplete);
            Put(link);
        }
        catch when (link is null)
        {
            Connection.Client.CloseProducer(producer);
            node?.OnLinkEnd(Connection, LinkEnd.Closed);
            throw;
        }
        catch
        {
            link!.Release(node is null ? LinkEnd.Detached : LinkEnd.Closed);
            throw;
        }
    }

    private void AttachCoordinator(Attach attach, Coordinator coordinator)
    {
        string[] known = [Coordinator.LocalTransactions, Coordinator.MultiTxnsPerSsn, Coordinator.MultiSsnsPerTxn];
        AnswerIncoming(attach, coordinator with { Capabilities = known });
        Put(new TransactionLink(this, attach));
    }

    /// <summary>Answers the attach of a sender.</summary>
    public void AnswerIncoming(
        Attach attach, Terminus target, AmqpMap? unsettled = null, bool isIncomplete = false)
    {
        Connection.Frames.Write(Channel, new Attach
        {
            Name = attach.Name,
            Handle = HandleFor(attach),
            Role = Role.Receiver,
            SenderSettleMode = attach.SenderSettleMode,
            ReceiverSettleMode = attach.ReceiverSettleMode,
            Source = attach.Source,
            Target = target,
            Unsettled = unsettled,
            IncompleteUnsettled = isIncomplete,
            OfferedCapabilities = attach.DesiredCapabilities?.Contains(OwnOpen.DelayedDelivery) == true
                ? [OwnOpen.DelayedDelivery] : null,
            MaxMessageSize = (ulong)Connection.Options.MaxMessageBytes,
        });
    }

    /// <summary>Gives a link its place by the peer's handle.</summary>
    public void Put(Link link)
    {
        if (link.PeerHandle >= _links.Length)
        {
            Array.Resize(ref _links, (int)Math.Max(link.PeerHandle + 1, (uint)_links.Length * 2));
        }

        _links[link.PeerHandle] = link;
        Connection.Names.OnAttached(link);
    }

    private void Release(Link link, LinkEnd end)
    {
        link.Release(end);
        Connection.Names.OnReleased(link);
    }

    private Link? LinkAt(uint handle) => handle < _links.Length ? _links[handle] : null;

    private Link RequireLink(uint handle) => LinkAt(handle) ?? throw new AmqpException(
        AmqpErrorCondition.SessionUnattachedHandle, $"no link is attached to handle {handle}", AmqpSeverity.Session);
}
