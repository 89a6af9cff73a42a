using System.Globalization;
using Pillarbox.Model.Content;

namespace Pillarbox.Broker.Consumers;

/// <summary>Where in its stream a message is.</summary>
/// <param name="Partition">The partition, from 0.</param>
/// <param name="Offset">The offset in it.</param>
/// <param name="TimestampMs">The record's time, in milliseconds since the Unix epoch.</param>
public readonly record struct StreamPlace(int Partition, long Offset, long TimestampMs)
{
    /// <summary>Notes it as annotations, by the names that other servers of streams use: Event Hubs' and RabbitMQ's.
    /// </summary>
    internal void AddTo(MessageContent content)
    {
        Set(content, "x-opt-offset", ContentValue.From(Offset.ToString(CultureInfo.InvariantCulture)));
        Set(content, "x-opt-sequence-number", ContentValue.From(Offset));
        Set(content, "x-opt-enqueued-time", ContentValue.Timestamp(TimestampMs));
        Set(content, "x-opt-partition", ContentValue.From(Partition));
        Set(content, "x-stream-offset", ContentValue.From((ulong)Offset));
    }

    private static void Set(MessageContent content, string name, in ContentValue value)
    {
        content.Annotations.RemoveAll(annotation => annotation.Key == name);
        content.AddAnnotation(name, value);
    }
}
