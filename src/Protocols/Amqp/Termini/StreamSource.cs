using System.Globalization;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// Whether the source of an attach is a stream, and how it is to be read. A partition is named by
/// <c>stream::number</c>, by the link's property <c>partition</c>, or as Event Hubs' clients do,
/// <c>stream/ConsumerGroups/group/Partitions/number</c>; a consumer group by that or by the property <c>group</c>.
/// </summary>
internal static class StreamSource
{
    private const string PartitionProperty = "partition";
    private const string GroupProperty = "group";

    /// <summary>How to read; null: the source is no stream. Errors: invalid-field.</summary>
    public static StreamReading? Read(BrokerClient client, Attach attach, TerminusName name, SourceFilters filters)
    {
        (string text, string? group, int? partition) = Split(name.Name.ToString());
        if (!AddressName.TryParse(text, out AddressName address, out _) || !client.IsStream(address.Address))
        {
            return null;
        }

        partition ??= client.FindPartition(address) ?? NumberOf(attach.Properties);
        group ??= TextOf(attach.Properties, GroupProperty);
        bool isPlain = partition is null && group is null && filters.Start is null;
        if ((address.Queue is not null && client.FindPartition(address) is null)
            || (isPlain && (name.RoutingType is not null || client.FindQueue(address.Address) is not null)))
        {
            return null;
        }

        return new StreamReading
        {
            Stream = address.Address,
            Partition = partition,
            Group = group == StreamAddress.NoGroup ? null : group,
            Start = filters.Start ?? StreamStart.Next,
        };
    }

    /// <summary>Whether the properties of an attach say how a stream is to be read.</summary>
    public static bool IsNamed(AmqpMap? properties) =>
        NumberOf(properties) is not null || TextOf(properties, GroupProperty) is not null;

    /// <summary>The group in which a link reads, by its address or its properties; null: in none.</summary>
    public static string? GroupOf(string? ofAddress, AmqpMap? properties) =>
        (ofAddress ?? TextOf(properties, GroupProperty)) is { } group && group != StreamAddress.NoGroup ? group : null;

    /// <summary>The stream that an address names, and how the address says that it is read.</summary>
    public static (string Stream, string? Group, int? Partition) Split(string address)
    {
        StreamAddress parts = StreamAddress.Parse(address);
        if (parts.Partition is null)
        {
            return (parts.Stream, parts.Group, null);
        }

        return int.TryParse(parts.Partition, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? (parts.Stream, parts.Group, number)
            : throw new AmqpException(
                AmqpErrorCondition.InvalidField, $"'{address}' names no partition", AmqpSeverity.Link);
    }

    private static int? NumberOf(AmqpMap? properties)
    {
        if (properties is null || !properties.TryGet(PartitionProperty, out AmqpValue value))
        {
            return null;
        }

        bool isNumber = value.TryGetInt64(out long number)
            || long.TryParse(value.AsText(), NumberStyles.None, CultureInfo.InvariantCulture, out number);
        return isNumber && number is >= 0 and <= int.MaxValue
            ? (int)number
            : throw new AmqpException(
                AmqpErrorCondition.InvalidField, $"the property '{PartitionProperty}' is no number of a partition",
                AmqpSeverity.Link);
    }

    private static string? TextOf(AmqpMap? properties, string name) =>
        properties is not null && properties.TryGet(name, out AmqpValue value) ? value.AsText() : null;
}
