using Pillarbox.Broker.Shards;
using Pillarbox.Model;

namespace Pillarbox.Broker.Consumers;

/// <summary>What a client says of a delivery, as a shard is told.</summary>
internal static class SettleOp
{
    public static OutcomeBits Pack(in Outcome outcome) =>
        (OutcomeBits)outcome.Kind | (outcome.DeliveryFailed && outcome.Kind == OutcomeKind.Modified
            ? OutcomeBits.DeliveryFailed : 0)
        | (outcome.UndeliverableHere && outcome.Kind == OutcomeKind.Modified ? OutcomeBits.UndeliverableHere : 0)
        | (outcome.Begun && outcome.Kind == OutcomeKind.Released ? OutcomeBits.Begun : 0)
        | (outcome.Expired && outcome.Kind == OutcomeKind.Released ? OutcomeBits.Expired : 0);

    public static void Fill(ref ShardOp op, in Delivery delivery, OutcomeBits outcome, string? reason)
    {
        op.Priority = delivery.Priority;
        op.Id = delivery.Sequence;
        op.Stamp = delivery.Stamp;
        op.Outcome = outcome;
        op.Reason = reason;
    }
}
