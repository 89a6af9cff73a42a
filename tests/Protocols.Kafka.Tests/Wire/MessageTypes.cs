using System.Reflection;
using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Tests.Wire;

/// <summary>Every declared message, found by its attribute, and what a test does with one of any type.</summary>
internal static class MessageTypes
{
    public static readonly Type[] All =
    [
        .. typeof(KafkaReader).Assembly.GetTypes()
            .Where(t => t.GetCustomAttribute<KafkaMessageAttribute>() is not null)
            .OrderBy(t => t.Name, StringComparer.Ordinal),
    ];

    /// <summary>Each message with each of its versions.</summary>
    public static IEnumerable<(Type Type, short Version)> Versions() =>
        from type in All
        let ends = type.GetCustomAttribute<KafkaMessageAttribute>()!.Versions.Split('-')
        from version in Enumerable.Range(int.Parse(ends[0]), int.Parse(ends[1]) - int.Parse(ends[0]) + 1)
        select (type, (short)version);

    public static byte[] Write(object message, short version) =>
        (byte[])Generic(nameof(WriteMessage), message.GetType()).Invoke(null, [message, version])!;

    public static object Read(Type type, byte[] bytes, short version) =>
        Generic(nameof(ReadMessage), type)
            .Invoke(null, BindingFlags.DoNotWrapExceptions, null, [bytes, version], null)!;

    private static MethodInfo Generic(string name, Type type) =>
        typeof(MessageTypes).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type);

    private static byte[] WriteMessage<T>(T message, short version)
        where T : IKafkaMessage<T>
    {
        using var writer = new KafkaWriter();
        message.Write(writer, version);
        var whole = new List<byte>();
        int from = 0;
        foreach (RecordHole hole in writer.Holes)
        {
            whole.AddRange(writer.Written[from..hole.Position].Span);
            whole.AddRange(hole.Records.Memory.Span);
            from = hole.Position;
        }

        whole.AddRange(writer.Written[from..].Span);
        if (whole.Count != writer.Length)
        {
            throw new InvalidOperationException($"{whole.Count} bytes were written, {writer.Length} announced");
        }

        return [.. whole];
    }

    private static object ReadMessage<T>(byte[] bytes, short version)
        where T : IKafkaMessage<T>
    {
        var reader = new KafkaReader(bytes);
        object message = T.Read(ref reader, version);
        reader.End();
        return message;
    }
}
