namespace Pillarbox.Model;

/// <summary>Merges a consumer's annotations into payloads of one format. Any thread.</summary>
public interface IAnnotationMerger
{
    /// <summary>The format of the payloads, and of the annotations.</summary>
    PayloadFormat Format { get; }

    /// <summary>
    /// The payload's new start, and how many of its bytes that replaces. Values of <paramref name="annotations"/>
    /// replace those with the same key. False when payload or annotations cannot be read: nothing changes.
    /// </summary>
    bool Merge(
        ReadOnlySpan<byte> payload, ReadOnlySpan<byte> annotations, out int replacedBytes, out byte[] start);
}
