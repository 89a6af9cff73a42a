using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Protocols.Stomp.Sending;
using Pillarbox.Protocols.Stomp.Subscriptions;
using Pillarbox.Protocols.Stomp.Transactions;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>
/// A client that has logged in: each of its frames goes to the object that it is about, each event of the broker to the
/// object that waits for it. Used by the connection's loop alone.
/// </summary>
internal sealed class ConnectedClient : IClientEvents, IDisposable
{
    // Rounds of "hear the broker, write, tell the broker" in one pass; a further one only when the last brought
    // something.
    private const int RoundsMax = 8;

    private readonly StompOptions _options;
    private readonly SessionLife _life;
    private readonly FrameWriter _frames;
    private readonly FrameReceipt _receipt;
    private readonly TransactionTable _transactions;
    private readonly Acknowledgements _acknowledgements;
    private byte[]? _goodbyeReceipt;
    private bool _isGoodbye;

    public ConnectedClient(
        StompEnvironment environment, BrokerClient client, string? clientId, SessionLife life, FrameWriter frames,
        FrameReceipt receipt)
    {
        StompOptions options = environment.Options;
        _options = options;
        _life = life;
        _frames = frames;
        _receipt = receipt;
        Client = client;
        var temporaries = new TemporaryDestinations(client, environment);
        var resolver = new SubscriptionResolver(client, environment, clientId, temporaries);
        Turns = new MessageTurns(client, life, frames);
        Subscriptions = new SubscriptionTable(client, options, resolver, Turns);
        _transactions = new TransactionTable(client, options, life, Subscriptions);
        _acknowledgements = new Acknowledgements(client, options, Subscriptions, Turns, _transactions);
        Sends = new Sends(client, options, life, receipt, _transactions, temporaries);
    }

    /// <summary>Its part of the broker.</summary>
    public BrokerClient Client { get; }

    /// <summary>What it sends.</summary>
    public Sends Sends { get; }

    /// <summary>Where it receives from.</summary>
    public SubscriptionTable Subscriptions { get; }

    /// <summary>Which subscription writes, and reads from disk.</summary>
    public MessageTurns Turns { get; }

    /// <summary>Whether input waits: for credit, for the disk, or for receipts to leave.</summary>
    public bool IsHeldBack => Sends.IsHeldBack || Client.IsBehind || _transactions.PendingCount >= _options.ReceiptsMax;

    /// <summary>Does what a frame asks for; SEND goes to <see cref="Sends"/>.</summary>
    /// <exception cref="StompException">It cannot be, or is no frame of clients.</exception>
    /// <exception cref="BrokerException">It is refused.</exception>
    public void Perform(in FrameHead frame)
    {
        StompVersion version = _life.Version;
        switch (frame.Command)
        {
            case StompCommand.Subscribe:
                Subscriptions.Subscribe(frame, version);
                Confirm();
                break;
            case StompCommand.Unsubscribe:
                Subscriptions.Unsubscribe(frame, version);
                Confirm();
                break;
            case StompCommand.Ack:
                _acknowledgements.Take(frame, version, isPositive: true, _receipt);
                break;
            case StompCommand.Nack when version != StompVersion.V10:
                _acknowledgements.Take(frame, version, isPositive: false, _receipt);
                break;
            case StompCommand.Begin:
                _transactions.Begin(frame.Required("transaction"u8, version));
                Confirm();
                break;
            case StompCommand.Commit or StompCommand.Abort:
                _transactions.End(
                    frame.Required("transaction"u8, version), frame.Command == StompCommand.Abort, _receipt.ToArray());
                break;
            case StompCommand.Disconnect:
                _isGoodbye = true;
                _goodbyeReceipt = _receipt.ToArray();
                _life.State = SessionState.Disconnecting;
                break;
            default:
                string command = HeaderText.Decode(frame.CommandText, StompVersion.V10);
                throw new StompException($"'{StompException.Shorten(command)}' is no command of clients");
        }
    }

    /// <summary>
    /// Hears the broker and writes what is due. <paramref name="outputLimit"/>: messages are written only while the
    /// total of bytes written is below it. True: there is more to do, at once or when the output has room.
    /// </summary>
    public bool Turn(long outputLimit)
    {
        for (int round = 0; round < RoundsMax; round++)
        {
            Client.Flush();
            Client.DrainInbox(this);
            bool wrote = _life.State is (SessionState.Connected or SessionState.Disconnecting)
                && Turns.Write(outputLimit);
            if (!wrote && !Client.HasEvents)
            {
                break;
            }
        }

        Client.Flush();
        FinishDisconnect();
        return _life.State != SessionState.Ended && (Client.HasEvents || Turns.Any);
    }

    /// <summary>The connection is over: gives back everything. What nobody has ended is lost, and counts as tried.
    /// </summary>
    public void Dispose()
    {
        bool isLost = _life.State != SessionState.Ended || !_isGoodbye;
        _life.State = SessionState.Ended;
        Sends.Close();
        Turns.Dispose();
        Subscriptions.EndAll(countAttempts: isLost);
        Client.Flush();
        Client.Dispose();
    }

    /// <inheritdoc/>
    void IClientEvents.OnDelivery(in Delivery delivery)
    {
        var subscription = (StompSubscription)delivery.Consumer.Tag!;
        subscription.OnDelivery(delivery);
        Turns.Enqueue(subscription);
    }

    /// <inheritdoc/>
    void IClientEvents.OnPublished(Producer producer, ulong tag, BrokerException? error) =>
        Sends.OnPublished(tag, error);

    /// <inheritdoc/>
    void IClientEvents.OnProducerCredit(Producer producer, int credit) =>
        Sends.OnCredit((SendTarget)producer.Tag!, credit);

    /// <inheritdoc/>
    void IClientEvents.OnDrained(Consumer consumer, int unusedCredit)
    {
        var subscription = (StompSubscription)consumer.Tag!;
        subscription.OnDrained(unusedCredit);
        Turns.Enqueue(subscription);
    }

    /// <inheritdoc/>
    void IClientEvents.OnSettled(ulong tag) => _transactions.OnSettled(tag);

    /// <inheritdoc/>
    void IClientEvents.OnDischarged(Transaction transaction, ulong tag, BrokerException? error) =>
        _transactions.OnDischarged(transaction, tag, error);

    /// <inheritdoc/>
    void IClientEvents.OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
        var subscription = (StompSubscription)consumer.Tag!;
        string name = StompException.Shorten(subscription.Id ?? subscription.Destination);
        _life.Fail($"subscription '{name}' was ended: {reason.Message}");
    }

    /// <inheritdoc/>
    void IClientEvents.OnProducerClosed(Producer producer, BrokerException reason) =>
        Sends.OnClosed((SendTarget)producer.Tag!);

    /// <inheritdoc/>
    void IClientEvents.OnCloseRequested(BrokerException reason)
    {
        _isGoodbye = true;
        _life.Fail(reason.Message);
    }

    // A receipt of a frame that is done.
    private void Confirm()
    {
        if (_receipt.IsDue)
        {
            _life.Confirm(_receipt.Id);
        }
    }

    // 1.2, "DISCONNECT": its receipt says that everything before it was done.
    private void FinishDisconnect()
    {
        if (_life.State == SessionState.Disconnecting && Sends.IsDone && _transactions.PendingCount == 0
            && !_frames.IsHeld)
        {
            if (_goodbyeReceipt is not null)
            {
                _life.Confirm(_goodbyeReceipt);
            }

            _life.State = SessionState.Ended;
        }
    }
}
