using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>When a message of a subscription counts as consumed (1.2, "SUBSCRIBE ack Header").</summary>
internal enum AckMode : byte
{
    /// <summary>As soon as it is sent: here, when the socket has taken it.</summary>
    Auto,

    /// <summary>When it, or a later one of the subscription, is acknowledged.</summary>
    Client,

    /// <summary>When it is acknowledged itself.</summary>
    ClientIndividual,
}

/// <summary>
/// A subscription: one consumer of the broker, and what is under way from it to the client. Owned by its session. The
/// broker gets credit for the window only, so a slow client costs bounded memory.
/// </summary>
internal sealed class StompSubscription
{
    private readonly BrokerClient _client;
    private int _granted;
    private bool _isDraining;
    private bool _isAtEnd;
    private long _flushing;

    public StompSubscription(BrokerClient client, Consumer consumer, int number, string? id, StompVersion version)
    {
        _client = client;
        Consumer = consumer;
        consumer.Tag = this;
        Number = number;
        Id = id;
        ByteBuilder prefix = default;
        prefix.Append("MESSAGE\n"u8);
        if (id is not null)
        {
            ByteBuilder canonical = default;
            HeaderText.AppendEscaped(ref canonical, System.Text.Encoding.UTF8.GetBytes(id));
            prefix.Append("subscription:"u8);
            HeaderText.AppendFor(ref prefix, canonical.Span, version);
            prefix.Append((byte)'\n');
        }

        Prefix = prefix.Span.ToArray();
    }

    /// <summary>The broker's consumer.</summary>
    public Consumer Consumer { get; }

    /// <summary>Its number on the connection, which is in the ids of its messages.</summary>
    public int Number { get; }

    /// <summary>The client's id for it; null: it named none (1.0).</summary>
    public string? Id { get; }

    /// <summary>How every MESSAGE of it begins.</summary>
    public byte[] Prefix { get; }

    /// <summary>The destination as the client wrote it.</summary>
    public required string Destination { get; init; }

    /// <summary>What stands before the address pattern in <see cref="Destination"/>; null: it holds none.</summary>
    public string? PatternPrefix { get; init; }

    /// <summary>When messages count as consumed.</summary>
    public required AckMode AckMode { get; init; }

    /// <summary>Most messages under way.</summary>
    public required int WindowMessages { get; init; }

    /// <summary>Beyond so many bytes that are not acknowledged nothing is sent; 0: no such bound.</summary>
    public required long WindowBytes { get; init; }

    /// <summary>The queue that was made for a subscription that ends with it; null: none.</summary>
    public string? VolatileQueue { get; init; }

    /// <summary>Whether the client asked only to look.</summary>
    public bool Browses { get; init; }

    /// <summary>Who looks is to be told that there is nothing more.</summary>
    public bool OwesEnd { get; set; }

    /// <summary>What the broker gave and is not written.</summary>
    public DeliveryQueue Pending { get; } = new();

    /// <summary>What is written and not settled.</summary>
    public HeldMessages Held { get; } = new();

    /// <summary>Waits in the session's list of those that may write.</summary>
    public bool IsQueued { get; set; }

    /// <summary>The connection reads from disk for it.</summary>
    public bool IsReading { get; set; }

    /// <summary>It has been ended.</summary>
    public bool IsOver { get; set; }

    /// <summary>The oldest pending message, read from disk already.</summary>
    public MessageLease? ReadAhead { get; set; }

    /// <summary>Whether it has something that it may write now.</summary>
    public bool HasWork => !IsOver && !IsReading && (Pending.Count > 0 || OwesEnd)
        && (WindowBytes == 0 || Held.Count == 0 || Held.Bytes < WindowBytes);

    /// <summary>The destination of a message that came by another protocol: of a subscription to a pattern it says
    /// which address it was sent to (1.2, "MESSAGE").</summary>
    public string DestinationOf(ReadOnlySpan<byte> address) =>
        PatternPrefix is null ? Destination : PatternPrefix + System.Text.Encoding.UTF8.GetString(address);

    /// <summary>Brings the broker's credit up to the window, in batches of a quarter of it.</summary>
    public void Regulate()
    {
        int wanted = WindowMessages - _granted - Pending.Count - Held.Count;
        if (!IsOver && !_isAtEnd && wanted > 0 && (wanted >= WindowMessages / 4 || _granted == 0))
        {
            _granted += wanted;
            _client.Grant(Consumer, wanted);
            if (Browses && !_isDraining)
            {
                // The answer tells when everything that is there has been seen.
                _isDraining = true;
                _client.Drain(Consumer);
            }
        }
    }

    /// <summary>The broker had nothing more for so much of its credit.</summary>
    public void OnDrained(int unused)
    {
        _isDraining = false;
        _granted -= unused;
        _isAtEnd = OwesEnd = unused > 0;
        Regulate();
    }

    /// <summary>A message from the broker.</summary>
    public void OnDelivery(in Delivery delivery)
    {
        _granted--;
        Invariant.That(_granted >= 0);
        Pending.Enqueue(delivery);
    }

    /// <summary>The last message that is held is written in part only.</summary>
    public bool IsMidway { get; set; }

    /// <summary>What is written whole so far is on its way to the socket.</summary>
    public void BeginFlush() => _flushing = Held.Next - (IsMidway ? 1 : 0);

    /// <summary>The socket has taken it: in mode auto it is consumed.</summary>
    public void EndFlush()
    {
        for (long number = Held.First; number < _flushing; number++)
        {
            if (Held.TryGet(number, out Delivery delivery))
            {
                _client.Settle(delivery, Outcome.Accepted);
                Held.Remove(number);
            }
        }

        Regulate();
    }

    /// <summary>Whether something written waits for the socket, in mode auto.</summary>
    public bool AwaitsFlush => AckMode == AckMode.Auto && !IsOver && Held.Count > 0;

    /// <summary>It ends; with <paramref name="countAttempts"/> what is unsettled counts as failed.</summary>
    public void End(bool countAttempts)
    {
        if (!IsOver)
        {
            IsOver = true;
            Pending.Clear();
            ReadAhead?.Large?.Dispose();
            ReadAhead?.Dispose();
            ReadAhead = null;
            _client.CloseConsumer(Consumer, countAttempts);
        }
    }
}
