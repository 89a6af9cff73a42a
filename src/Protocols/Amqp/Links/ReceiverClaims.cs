using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>
/// The unsettled map of a receiver that comes back, as far as its tags are names that this node gave (part 2 section
/// 2.7.3). Bounded by the frame that it came in.
/// </summary>
internal sealed class ReceiverClaims
{
    private readonly List<(byte[] Tag, DeliveryName Name, PeerOutcome Stated)> _claims = [];

    /// <summary>How many there are.</summary>
    public int Count => _claims.Count;

    /// <summary>The names, in the order of the map.</summary>
    public DeliveryName[] Names => [.. _claims.Select(claim => claim.Name)];

    /// <summary>One of them.</summary>
    public (byte[] Tag, DeliveryName Name, PeerOutcome Stated) this[int index] => _claims[index];

    /// <summary>
    /// Reads the map. What was released is left out, for it is back in its queue since the link ended. Errors: a
    /// delivery state that cannot be read.
    /// </summary>
    public static ReceiverClaims Read(AmqpMap unsettled, AmqpOptions options)
    {
        var claims = new ReceiverClaims();
        foreach ((AmqpValue key, AmqpValue state) in unsettled)
        {
            byte[] encoded = state.ToEncoded();
            DeliveryStateKind kind = DeliveryState.KindOf(encoded);
            PeerOutcome stated = PeerOutcome.Read(kind, encoded, settled: false, null, options);
            if (kind != DeliveryStateKind.Released && key.Type == AmqpType.Binary
                && DeliveryName.TryRead(key.AsBinary(), out DeliveryName name))
            {
                claims._claims.Add((key.AsBinary().ToArray(), name, stated));
            }
        }

        return claims;
    }
}
