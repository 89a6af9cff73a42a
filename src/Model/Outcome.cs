namespace Pillarbox.Model;

/// <summary>What a consumer did with a delivery.</summary>
public enum OutcomeKind : byte
{
    /// <summary>Consumed; the queue forgets the message.</summary>
    Accepted = 0,

    /// <summary>Invalid for this consumer: goes to the dead-letter address at once.</summary>
    Rejected = 1,

    /// <summary>Not processed: back to its place in the queue, the delivery count stays.</summary>
    Released = 2,

    /// <summary>Back to its place in the queue with a changed delivery count, or not for this consumer again.</summary>
    Modified = 3,
}

/// <summary>The outcome of a delivery, as the consumer states it.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="DeliveryFailed">With <see cref="OutcomeKind.Modified"/>: count the attempt as failed.</param>
/// <param name="UndeliverableHere">With <see cref="OutcomeKind.Modified"/>: never offer it to this consumer
/// again.</param>
/// <param name="Reason">With <see cref="OutcomeKind.Rejected"/> or a failed attempt: the consumer's words, kept for
/// dead letters. Bounded by the caller.</param>
public readonly record struct Outcome(
    OutcomeKind Kind, bool DeliveryFailed = false, bool UndeliverableHere = false, string? Reason = null)
{
    /// <summary>With <see cref="OutcomeKind.Modified"/>: what is merged into the message's annotations, encoded as in
    /// the payload's format. Kept until the settlement is done; bounded by the caller.</summary>
    public ReadOnlyMemory<byte> Annotations { get; init; }

    /// <summary>With <see cref="OutcomeKind.Released"/>: somebody may have got it, and is to get it again, so its time
    /// is not over any more. Forgotten when the node starts anew.</summary>
    public bool Begun { get; init; }

    /// <summary>With <see cref="OutcomeKind.Released"/>: by the consumer's clock its time is over. It goes where
    /// expired messages go; one that has no time is a failed attempt.</summary>
    public bool Expired { get; init; }

    /// <summary>Consumed.</summary>
    public static Outcome Accepted => new(OutcomeKind.Accepted);

    /// <summary>Back, uncounted.</summary>
    public static Outcome Released => new(OutcomeKind.Released);

    /// <summary>Back, counted as a failed attempt.</summary>
    public static Outcome Failed => new(OutcomeKind.Modified, DeliveryFailed: true);
}
