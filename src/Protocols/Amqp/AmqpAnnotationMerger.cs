using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>The message-annotations of modified outcomes go into AMQP payloads (part 3 section 3.4.5).</summary>
public sealed class AmqpAnnotationMerger : IAnnotationMerger
{
    /// <inheritdoc/>
    public PayloadFormat Format => PayloadFormat.Amqp;

    /// <inheritdoc/>
    public bool Merge(
        ReadOnlySpan<byte> payload, ReadOnlySpan<byte> annotations, out int replacedBytes, out byte[] start)
    {
        try
        {
            start = AmqpMessageMap.MergeAnnotations(payload, annotations, out replacedBytes);
            return true;
        }
        catch (AmqpException)
        {
            (replacedBytes, start) = (0, []);
            return false;
        }
    }
}
