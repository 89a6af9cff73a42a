using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli;

/// <summary>
/// Sends all messages of a source on one link, at most so many a second, and waits for their outcomes.
/// </summary>
internal sealed class MessageSending : ISenderEvents
{
    private const int InFlightMax = 1000;
    private const int BurstMessages = 64;
    private const long InputCheckNanoseconds = 20_000_000;
    private readonly NetworkClient _client;
    private readonly string _address;
    private readonly double _rate;
    private readonly ClientSender _link;
    private readonly ClientSession _session;
    private string? _refusal;

    public MessageSending(NetworkClient client, string address, double rate)
    {
        _client = client;
        _address = address;
        _rate = rate;
        _session = client.Connection.BeginSession();
        _link = _session.AttachSender("send", new Target { Address = address }, SenderSettleMode.Unsettled, this);
        client.WaitForAttach(_link, address);
    }

    public long Accepted { get; private set; }

    /// <summary>Sends; a message that is not accepted, or the link's end, is an error.</summary>
    public void Run(MessageSource source, CancellationToken cancellation)
    {
        long start = Clock.Now;
        long sent = 0;
        while (!source.IsAtEnd || _session.UnsettledCount > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            long wait = SendBurst(source, start, ref sent);
            _client.Pump(wait);
            ThrowIfOver();
        }
    }

    /// <inheritdoc/>
    public void OnSettled(ClientSender sender, uint first, uint last, in DeliveryOutcome outcome)
    {
        if (outcome.Kind is DeliveryStateKind.Accepted or DeliveryStateKind.None)
        {
            Accepted += unchecked(last - first) + 1;
            return;
        }
        _refusal ??= outcome.Kind == DeliveryStateKind.Rejected
            ? DeliveryState.ReadRejected(outcome.State).Error switch
            {
                { Description: { } text } => $"rejected: {text}",
                { Condition: var condition } => $"rejected: {condition}",
                null => "rejected",
            }
            : $"not taken ({outcome.Kind.ToString().ToLowerInvariant()})";
    }

    // Returns how long to wait for the server, in nanoseconds.
    private long SendBurst(MessageSource source, long start, ref long sent)
    {
        for (int i = 0; i < BurstMessages; i++)
        {
            if (!_link.CanSend || _session.UnsettledCount >= InFlightMax)
            {
                return InputCheckNanoseconds * 5;
            }
            long early = _rate > 0 ? start + (long)(sent * 1e9 / _rate) - Clock.Now : 0;
            if (early > 0)
            {
                return early;
            }
            if (!source.TryTake(out ReadOnlySpan<byte> message))
            {
                return InputCheckNanoseconds;
            }
            _link.Send(message, settled: false);
            sent++;
        }
        return 0;
    }

    private void ThrowIfOver()
    {
        if (_refusal is { } refusal)
        {
            throw new CommandException(ExitCode.Failed,
                $"{NetworkClient.Shorten(_address)}: {refusal}, {Accepted} messages were accepted");
        }
        NetworkClient.ThrowIfDetached(_link, _address);
        _client.ThrowIfClosed();
        if (_client.IsEnded)
        {
            throw new CommandException(ExitCode.Failed, $"the connection ended, {Accepted} messages were accepted");
        }
    }
}
