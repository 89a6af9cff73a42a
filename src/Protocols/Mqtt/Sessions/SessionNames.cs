namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>The names of the queues that sessions are made of.</summary>
internal static class SessionNames
{
    /// <summary>The address whose settings apply to sessions.</summary>
    public const string Address = "$mqtt";

    /// <summary>Where messages for a client wait.</summary>
    public static string Queue(string clientId) => "$mqtt.session." + Escape(clientId);

    /// <summary>Where what a session must not forget is kept.</summary>
    public static string StateQueue(string clientId) => "$mqtt.state." + Escape(clientId);

    /// <summary>Where messages of a shared subscription wait.</summary>
    public static string SharedQueue(ReadOnlySpan<byte> group, ReadOnlySpan<byte> filter) =>
        "$mqtt.share." + TopicNames.ToAddress(group) + "." + TopicNames.ToPattern(filter);

    // Two colons would end the name.
    private static string Escape(string clientId) =>
        clientId.Replace("%", "%25", StringComparison.Ordinal).Replace("::", ":%3A", StringComparison.Ordinal);
}
