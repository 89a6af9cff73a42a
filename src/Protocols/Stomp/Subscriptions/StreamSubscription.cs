using System.Globalization;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Subscriptions;

/// <summary>
/// Whether the destination of a SUBSCRIBE is a stream, and how it is to be read: <c>x-stream-offset</c> says where it
/// begins (<c>first</c>, <c>last</c>, <c>next</c>, <c>offset:N</c>, <c>timestamp:SECONDS</c>, as with RabbitMQ),
/// <c>x-stream-group</c> names a consumer group, <c>stream::N</c> a partition.
/// </summary>
internal static class StreamSubscription
{
    /// <summary>Says where to begin; of a MESSAGE, which record it is.</summary>
    private const string OffsetHeader = "x-stream-offset";

    /// <summary>How to read; null: the destination is no stream, or means a queue or topic of that name.</summary>
    public static StreamReading? Read(BrokerClient client, in Destination destination, string? offset, string? group)
    {
        AddressName name = destination.Name;
        int? partition = name.Queue is null ? null : client.FindPartition(name);
        bool isPlain = partition is null && offset is null && group is null;
        bool isOther = (name.Queue is not null && partition is null)
            || (isPlain && (destination.RoutingType is not null || client.FindQueue(name.Address) is not null));
        if (isOther || !client.IsStream(name.Address))
        {
            return null;
        }

        return new StreamReading
        {
            Stream = name.Address,
            Partition = partition,
            Group = group,
            Start = offset is null ? StreamStart.Next : StartOf(offset),
        };
    }

    private static StreamStart StartOf(string text)
    {
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        bool counted = long.TryParse(
            text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long number);
        return (colon < 0 ? text : text[..colon], counted) switch
        {
            ("first", false) => StreamStart.First,
            ("last", false) => StreamStart.Last,
            ("next", false) => StreamStart.Next,
            ("offset", true) => StreamStart.AtOffset(number),
            ("timestamp", true) => StreamStart.AtTime(Math.Min(number, long.MaxValue / 1000) * 1000),
            _ => throw new StompException(
                $"'{OffsetHeader}' is first, last, next, offset:N or timestamp:SECONDS"),
        };
    }
}
