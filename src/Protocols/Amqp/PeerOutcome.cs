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
    /// <summary>Reads a delivery state. A delivery that is settled without an outcome goes back to its queue.</summary>
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
        return new PeerOutcome(outcome ?? default, outcome is not null, settled, transaction);
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
