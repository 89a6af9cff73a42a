using System.Buffers.Binary;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Simulation.Tests.Routing;

/// <summary>One message of one send: sent again, it is another one.</summary>
internal sealed class Attempt
{
    public required int Id { get; init; }

    public required string Address { get; init; }

    public required RoutedSender Sender { get; init; }

    /// <summary>Settled by its sender before.</summary>
    public required bool IsPreSettled { get; init; }

    /// <summary>Sent while the network was whole, and nothing happened to it before the outcome.</summary>
    public bool IsCalm { get; set; }

    public int Bytes { get; init; }

    /// <summary>What the sender heard; none: nothing.</summary>
    public DeliveryStateKind Outcome { get; set; }

    /// <summary>Who got it, and what each said of it.</summary>
    public List<Arrival> Arrivals { get; } = [];

    public bool IsMulticast => Address.StartsWith("all.", StringComparison.Ordinal);

    public override string ToString() =>
        $"message {Id} to {Address} ({Bytes} bytes{(IsPreSettled ? ", pre-settled" : "")}{(IsCalm ? ", calm" : "")}) "
        + $"of {Sender}: {Outcome}; [{string.Join(", ", Arrivals)}]";
}

/// <summary>A message at a receiver.</summary>
internal sealed record Arrival(RoutedReceiver Receiver)
{
    /// <summary>What the receiver said; none: nothing yet.</summary>
    public DeliveryStateKind Answer { get; set; }

    public override string ToString() => $"{Receiver}: {Answer}";
}

/// <summary>
/// Every message, who got it and what was said of it. The promises: an outcome is the receiver's own; a message comes
/// once at most, of a multicast once to each; on a network that is whole, nothing is lost and no order is changed.
/// </summary>
internal sealed class RoutedLedger
{
    private const int HeadBytes = 8;
    private readonly List<Attempt> _attempts = [];

    public int Count => _attempts.Count;

    public int Arrived { get; private set; }

    public int Step { get; set; }

    public IReadOnlyList<Attempt> All => _attempts;

    public Attempt Send(RoutedSender sender, string address, bool isPreSettled, bool isCalm, int bytes)
    {
        var attempt = new Attempt
        {
            Id = _attempts.Count,
            Address = address,
            Sender = sender,
            IsPreSettled = isPreSettled,
            IsCalm = isCalm,
            Bytes = bytes,
        };
        _attempts.Add(attempt);
        return attempt;
    }

    /// <summary>A body that says which message it is, and can be checked.</summary>
    public static byte[] Body(Attempt attempt)
    {
        byte[] body = new byte[HeadBytes + attempt.Bytes];
        BinaryPrimitives.WriteInt32BigEndian(body, attempt.Id);
        BinaryPrimitives.WriteInt32BigEndian(body.AsSpan(sizeof(int)), attempt.Bytes);
        for (int i = HeadBytes; i < body.Length; i++)
        {
            body[i] = (byte)((attempt.Id * 31) + i);
        }

        return body;
    }

    /// <summary>A message has come. Checks: it is whole, it was sent there, it has not come before.</summary>
    public Attempt Arrive(RoutedReceiver receiver, ReadOnlySpan<byte> body)
    {
        int id = body.Length < HeadBytes ? -1 : BinaryPrimitives.ReadInt32BigEndian(body);
        Violation.Unless(id >= 0 && id < _attempts.Count, $"{receiver} got {body.Length} bytes that nobody sent");
        Attempt attempt = _attempts[id];
        Violation.Unless(body.SequenceEqual(Body(attempt)), $"{receiver} got other bytes than were sent of {attempt}");
        Violation.Unless(attempt.Address == receiver.Address, $"{receiver} got {attempt}");
        bool isFirst = attempt.IsMulticast
            ? attempt.Arrivals.TrueForAll(arrival => arrival.Receiver != receiver)
            : attempt.Arrivals.Count == 0;
        Violation.Unless(isFirst, $"{attempt} comes once more, to {receiver}");
        attempt.Arrivals.Add(new Arrival(receiver));
        Arrived++;
        return attempt;
    }

    /// <summary>The sender hears an outcome. Checks: somebody has said so.</summary>
    public static void Hear(Attempt attempt, DeliveryStateKind outcome)
    {
        Violation.Unless(attempt.Outcome == DeliveryStateKind.None, $"a second outcome, {outcome}, of {attempt}");
        attempt.Outcome = outcome;
        bool isSaid = attempt.Arrivals.Exists(arrival => arrival.Answer == outcome);
        bool isNetworks = outcome is DeliveryStateKind.Released or DeliveryStateKind.Modified && !attempt.IsCalm;
        Violation.Unless(isSaid || isNetworks, $"nobody said {outcome} of {attempt}");
        if (attempt.IsCalm && attempt.IsMulticast)
        {
            DeliveryStateKind highest = attempt.Arrivals.Select(a => a.Answer).MaxBy(Rank);
            Violation.Unless(highest == outcome, $"{highest} is the highest that was said of {attempt}");
        }
    }

    private static int Rank(DeliveryStateKind kind) => kind switch
    {
        DeliveryStateKind.Rejected => 4,
        DeliveryStateKind.Accepted => 3,
        DeliveryStateKind.Modified => 2,
        DeliveryStateKind.Released => 1,
        _ => 0,
    };
}
