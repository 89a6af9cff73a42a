using System.Diagnostics.CodeAnalysis;

namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>
/// What a peer did wrong on the wire. There is no answer to bytes that make no sense: the connection ends.
///
/// </summary>
public sealed class KafkaException(string message) : Exception(message)
{
    [DoesNotReturn]
    internal static void Throw(string message) => throw new KafkaException(message);
}
