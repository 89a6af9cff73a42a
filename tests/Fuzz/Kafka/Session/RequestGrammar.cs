using System.Reflection;
using Pillarbox.Protocols.Kafka;
using Pillarbox.Protocols.Kafka.Tests.Wire;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Fuzz.Kafka.Session;

/// <summary>
/// Requests of every API at every version, filled with what may well mean something to the node: topics that are there,
/// groups and members that come again, small numbers. The names of the fields say what fits.
/// </summary>
internal sealed class RequestGrammar(Random random, Guid[] topicIds)
{
    /// <summary>Topics that are there when a conversation begins.</summary>
    public static readonly string[] Topics = ["t0", "t1", "t2"];

    private const int ElementsMax = 3;

    private static readonly (Type Type, ApiEntry Entry)[] Requests =
    [
        .. ApiTable.All.Select(entry => (entry.GetType().GetGenericArguments()[0], entry)),
    ];

    private static readonly string[] Words =
    [
        "", "g", "g2", "m", "x", "range", "uniform", "consumer", "user", "client-id", "producer_byte_rate",
        "cleanup.policy", "compact", "retention.ms", "1", "0", "-1", "PLAIN", "kafka-cluster", "User:a", "*",
        "group.version", "1.0", "pillarbox", ".*", "t[0-9]", "(a|aa)+$", "(((a?){9}){9}){9}", "(", "\\",
    ];

    private static readonly long[] Numbers = [-2, -1, 0, 0, 0, 1, 1, 2, 3, 5, 100];
    private static readonly long[] WildNumbers = [int.MinValue, int.MaxValue, long.MinValue, long.MaxValue, 1 << 20];

    private readonly HostileBatches _batches = new(random);

    /// <summary>A request with its header; the correlation id is given.</summary>
    public byte[] Make(int correlation)
    {
        (Type type, ApiEntry entry) = Pick();
        short version = (short)random.Next(entry.VersionMin, entry.VersionMax + 1);
        object request = Fill(type);
        byte[] body = MessageTypes.Write(request, version);
        using var writer = new KafkaWriter();
        bool isFlexible = version >= FlexibleFrom(type);
        new RequestHeader(entry.Key, version, correlation, Pick(["", "c", "d"])).Write(writer, isFlexible);
        return [.. writer.Written.Span, .. body];
    }

    // What carries records, and what reads them, comes more often than the rest.
    private (Type Type, ApiEntry Entry) Pick()
    {
        ApiKey? wanted = random.Next(4) == 0 ? (random.Next(3) == 0 ? ApiKey.Fetch : ApiKey.Produce) : null;
        return wanted is { } key
            ? Array.Find(Requests, r => r.Entry.Key == key)
            : Requests[random.Next(Requests.Length)];
    }

    private static short FlexibleFrom(Type type) => (short)typeof(RequestGrammar)
        .GetMethod(nameof(FlexibleOf), BindingFlags.NonPublic | BindingFlags.Static)!
        .MakeGenericMethod(type).Invoke(null, [])!;

    private static short FlexibleOf<T>()
        where T : IKafkaMessage<T> => T.FlexibleFrom;

    private object Fill(Type type)
    {
        object message = Activator.CreateInstance(type)!;
        foreach (PropertyInfo property in type.GetProperties())
        {
            if (property.GetCustomAttribute<FieldAttribute>() is { } field)
            {
                bool nullable = field.Nullable.Length > 0 && random.Next(4) == 0;
                property.SetValue(message, nullable ? null : Value(property.PropertyType, property.Name));
            }
        }

        return message;
    }

    private object Value(Type type, string name)
    {
        if (type == typeof(byte[]))
        {
            byte[] bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            return bytes;
        }

        if (!type.IsArray)
        {
            return Scalar(type, name) ?? Fill(type);
        }

        var items = Array.CreateInstance(type.GetElementType()!, random.Next(ElementsMax + 1));
        for (int i = 0; i < items.Length; i++)
        {
            items.SetValue(Value(type.GetElementType()!, name), i);
        }

        return items;
    }

    private object? Scalar(Type type, string name) => type.Name switch
    {
        nameof(Boolean) => random.Next(2) == 1,
        nameof(SByte) => (sbyte)Number(name),
        nameof(Int16) => (short)Number(name),
        nameof(UInt16) => (ushort)Number(name),
        nameof(Int32) => (int)Number(name),
        nameof(UInt32) => (uint)Number(name),
        nameof(Int64) => Number(name),
        nameof(Double) => random.Next(8) == 0 ? double.NaN : random.Next(1, 1_000_000),
        nameof(Guid) => random.Next(4) == 0 ? Guid.Empty : topicIds[random.Next(topicIds.Length)],
        nameof(String) => Text(name),
        nameof(RecordBytes) => new RecordBytes(_batches.Make()),
        _ => null,
    };

    private string Text(string name) => random.Next(8) switch
    {
        0 => new string((char)random.Next(1, 0x2000), random.Next(300)),
        1 or 2 => Pick(Words),
        _ when name.Contains("Topic", StringComparison.Ordinal) || name is "Name" or "ResourceName" => Pick(Topics),
        _ when name.Contains("Group", StringComparison.Ordinal) => Pick(["g", "g2", "s"]),
        _ when name.Contains("Member", StringComparison.Ordinal) => Pick(["", "m", "m2"]),
        _ when name.Contains("Transactional", StringComparison.Ordinal) => "x",
        _ => Pick(Words),
    };

    // What waits does not wait long: a conversation has an end.
    private long Number(string name) =>
        name.Contains("Wait", StringComparison.Ordinal) ? random.Next(3)
        : name.Contains("Session", StringComparison.Ordinal) && name.EndsWith("Ms", StringComparison.Ordinal) ? 10_000
        : random.Next(12) == 0 ? WildNumbers[random.Next(WildNumbers.Length)]
        : Numbers[random.Next(Numbers.Length)];

    private string Pick(string[] from) => from[random.Next(from.Length)];
}
