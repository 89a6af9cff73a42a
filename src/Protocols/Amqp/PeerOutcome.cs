using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Transactions;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>What one disposition says, decoded once for all deliveries of its range.</summary>
/// <param name="Outcome">The outcome in the broker's words; meaningful when <paramref name="IsFinal"/>.</param>
/// <param name="IsFinal">Whether it is an outcome at all (part 3 section 3.4), or settled without one.</param>
/// <param name="IsSettled">Whether the peer settles with it.</param>
/// <param name="Transaction">The transaction that it belongs to, or null.</param>
internal readonly record struct PeerOutcome(
    Outcome Outcome, bool IsFinal, bool IsSettled, LocalTransaction? Transaction)
{
    /// <summary>Settled without an outcome.</summary>
    public bool IsDefault { get; init; }

    /// <summary>Reads a source's default-outcome; null: it has none. Errors: invalid-field.</summary>
    public static Outcome? ReadDefault(ReadOnlySpan<byte> encoded, AmqpOptions options)
    {
        DeliveryStateKind kind = DeliveryState.KindOf(encoded);
        if (kind == DeliveryStateKind.None)
        {
            return null;
        }

        PeerOutcome read = Read(kind, encoded, settled: false, null, options);
        return read.IsFinal
            ? read.Outcome
            : throw new AmqpException(
                AmqpErrorCondition.InvalidField, "the default-outcome is not an outcome", AmqpSeverity.Link);
    }

    /// <summary>Reads a delivery state. Settled without an outcome, the link's default-outcome counts.</summary>
    public static PeerOutcome Read(
        DeliveryStateKind kind, ReadOnlySpan<byte> state, bool settled, LocalTransaction? transaction,
        AmqpOptions options)
    {
        Outcome? outcome = kind switch
        {
            DeliveryStateKind.Accepted => Outcome.Accepted,
            DeliveryStateKind.Released => Outcome.Released,
            DeliveryStateKind.Rejected => ReadRejected(state, options),
            DeliveryStateKind.Modified => ReadModified(state),
            _ => settled ? Outcome.Released : null,
        };
        bool isDefault = settled && kind is not (DeliveryStateKind.Accepted or DeliveryStateKind.Released
            or DeliveryStateKind.Rejected or DeliveryStateKind.Modified);
        return new PeerOutcome(outcome ?? default, outcome is not null, settled, transaction)
        {
            IsDefault = isDefault,
        };
    }

    /// <summary>The same outcome as the node answers it.</summary>
    public static ReadOnlySpan<byte> State(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Rejected => DeliveryState.Rejected,
        OutcomeKind.Modified => DeliveryState.ModifiedFailed,
        OutcomeKind.Released => DeliveryState.Released,
        _ => DeliveryState.Accepted,
    };

    private static Outcome ReadRejected(ReadOnlySpan<byte> state, AmqpOptions options)
    {
        AmqpError? error = DeliveryState.ReadRejected(state).Error;
        string? reason = error is null
            ? null
            : error.Description is null ? error.Condition : $"{error.Condition}: {error.Description}";
        if (reason?.Length > options.ReasonCharsMax)
        {
            reason = reason[..options.ReasonCharsMax];
        }

        return new Outcome(OutcomeKind.Rejected, Reason: reason);
    }

    private static Outcome ReadModified(ReadOnlySpan<byte> state)
    {
        Modified modified = DeliveryState.ReadModified(state);
        return new Outcome(OutcomeKind.Modified, modified.DeliveryFailed, modified.UndeliverableHere)
        {
            Annotations = modified.MessageAnnotations.ToArray(),
        };
    }
}
