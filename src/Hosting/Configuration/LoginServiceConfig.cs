using System.ComponentModel;

namespace Pillarbox.Hosting.Configuration;

/// <summary>A program that logs a listener's clients in.</summary>
public sealed record LoginServiceConfig
{
    /// <summary>Where it is.</summary>
    [Description("Where it is: host:port, or amqp(s)://host:port.")]
    public string Address { get; init; } = "";

    /// <summary>The host that logins are for; null: that which each client names.</summary>
    [Description("The host that logins are for (hostname of sasl-init); absent: that which each client names.")]
    public string? Realm { get; init; }

    /// <summary>What a <c>qdrouterd.conf</c> calls it; null: nothing.</summary>
    internal string? Name { get; init; }

    /// <summary>TLS; null: plain.</summary>
    [Description("TLS; absent: plain, but for amqps.")]
    public ConnectorTlsConfig? Tls { get; init; }

    /// <summary>The roles of who has logged in there.</summary>
    [Description("The roles of who has logged in there.")]
    public IReadOnlyList<string> Roles { get; init; } = [];
}
