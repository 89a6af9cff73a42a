using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Encoded delivery states that cross the node; the usual ones are one array each.</summary>
internal static class RoutedState
{
    /// <summary>Settled without a state.</summary>
    public static readonly byte[] None = [];

    public static readonly byte[] Accepted = DeliveryState.Accepted.ToArray();

    public static readonly byte[] Released = DeliveryState.Released.ToArray();

    /// <summary>Modified, with delivery-failed.</summary>
    public static readonly byte[] Failed = DeliveryState.ModifiedFailed.ToArray();

    /// <summary>The state to keep beyond the frame.</summary>
    public static byte[] Keep(ReadOnlySpan<byte> state) =>
        state.IsEmpty ? None
        : state.SequenceEqual(Accepted) ? Accepted
        : state.SequenceEqual(Released) ? Released
        : DeliveryState.KindOf(state) switch
        {
            DeliveryStateKind.None => None,
            DeliveryStateKind.Accepted => Accepted,
            DeliveryStateKind.Released => Released,
            _ => state.ToArray(),
        };

    /// <summary>Of several receivers' outcomes the highest counts; 0: none.</summary>
    public static int Rank(byte[] state) => DeliveryState.KindOf(state) switch
    {
        DeliveryStateKind.Rejected => 4,
        DeliveryStateKind.Accepted => 3,
        DeliveryStateKind.Modified => 2,
        DeliveryStateKind.Released => 1,
        _ => 0,
    };

    /// <summary>Rejected with an error.</summary>
    public static byte[] Rejected(string condition, string description)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        var error = new AmqpError { Condition = condition, Description = description };
        new Rejected { Error = error }.Write(ref writer);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }
}
