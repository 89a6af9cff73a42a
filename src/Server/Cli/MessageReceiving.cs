using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli;

/// <summary>
/// Receives on one link: as many messages as are wanted and not one more, printed before they are settled.
/// </summary>
internal sealed class MessageReceiving : IReceiverEvents
{
    private const uint CreditMax = 500;
    private const long CancelCheckNanoseconds = 200_000_000;
    private readonly NetworkClient _client;
    private readonly MessagePrinter _printer;
    private readonly ClientSession _session;
    private readonly List<uint> _held = [];
    private readonly long _wanted;
    private ClientReceiver? _link;
    private string _address = "";
    private long _lastMessage;

    public MessageReceiving(NetworkClient client, MessagePrinter printer, long wanted)
    {
        _client = client;
        _printer = printer;
        _wanted = wanted;
        _session = client.Connection.BeginSession();
    }

    /// <summary>What becomes of the messages; released ones go back at the end.</summary>
    public DeliveryStateKind Outcome { get; init; } = DeliveryStateKind.Accepted;

    /// <summary>Stop when all that is there was seen.</summary>
    public bool IsBrowsing { get; init; }

    public long Received { get; private set; }

    public void Attach(Source source)
    {
        _address = source.Address!;
        _link = _session.AttachReceiver("receive", source, SenderSettleMode.Mixed, this);
        _client.WaitForAttach(_link, _address);
        bool selected = source.Filter is null || _link.Peer!.Source!.Filter is { Count: > 0 };
        if (!selected)
        {
            throw new CommandException(ExitCode.Failed, $"{_address}: the server does not apply selectors");
        }
    }

    /// <summary>Receives until enough came, nothing came for the time-out (seconds), or it is cancelled.</summary>
    public void Run(double timeoutSeconds, CancellationToken cancellation)
    {
        double timeoutNs = Math.Min(timeoutSeconds * 1e9, long.MaxValue / 2);
        _lastMessage = Clock.Now;
        while (Received < _wanted && !cancellation.IsCancellationRequested && !IsAtEnd())
        {
            TopUp();
            long left = _lastMessage + (long)timeoutNs - Clock.Now;
            if (left <= 0)
            {
                break;
            }
            _client.Pump(Math.Min(left, CancelCheckNanoseconds));
            _printer.Flush();
            ThrowIfOver();
        }
        foreach (uint id in _held)
        {
            _link!.Settle(id, Outcome);
        }
        _link!.Detach();
    }

    /// <inheritdoc/>
    public void OnMessage(ClientReceiver receiver, in IncomingDelivery delivery)
    {
        Received++;
        _lastMessage = Clock.Now;
        _printer.Print(AmqpMessage.Read(delivery.Message));
        if (delivery.IsSettled)
        {
            return;
        }
        if (Outcome == DeliveryStateKind.Accepted)
        {
            receiver.Settle(delivery.DeliveryId, Outcome);
        }
        else
        {
            _held.Add(delivery.DeliveryId);
        }
    }

    private bool IsAtEnd() => IsBrowsing && _link!.IsDrained;

    private void TopUp()
    {
        long left = _wanted - Received;
        if (_link!.Credit > CreditMax / 2 || _link.Credit >= left)
        {
            return;
        }
        _link.Grant((uint)Math.Min(left, CreditMax));
        if (IsBrowsing)
        {
            _link.Drain();
        }
    }

    private void ThrowIfOver()
    {
        NetworkClient.ThrowIfDetached(_link!, _address);
        _client.ThrowIfClosed();
        if (_client.IsEnded)
        {
            throw new CommandException(ExitCode.Failed, $"the connection ended after {Received} messages");
        }
    }
}
