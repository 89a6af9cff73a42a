using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting;

/// <summary>How an embedded node is set up; used once, while services are registered.</summary>
public sealed class PillarboxOptions
{
    private readonly Dictionary<string, ListenerConfig> _listeners = [];
    private readonly List<QueueEntryConfig> _queues = [];

    /// <summary>A <c>pillarbox.json</c> to start from; null: the defaults.</summary>
    public string? ConfigFile { get; set; }

    /// <summary>Where the data is; null: what the file says, else <c>./data</c>.</summary>
    public string? DataDirectory { get; set; }

    /// <summary>The node's seams; their logger factory is the host's unless one is set here.</summary>
    public NodeSeams Seams { get; set; } = new();

    /// <summary>Any other change to the configuration, made last.</summary>
    public Func<PillarboxConfig, PillarboxConfig> Configure { get; set; } = config => config;

    /// <summary>Keeps everything in memory.</summary>
    public void UseMemory() => DataDirectory = PillarboxConfig.InMemory;

    /// <summary>Listens; the first call replaces the listeners of the file and the defaults.</summary>
    /// <param name="protocol">What is spoken.</param>
    /// <param name="address"><c>host:port</c>; port 0 takes a free one.</param>
    /// <param name="tls">TLS; null: plain.</param>
    public void Listen(ListenerProtocol protocol, string address, TlsConfig? tls = null)
    {
        string name = $"{protocol.ToString().ToLowerInvariant()}{_listeners.Count}";
        _listeners.Add(name, new ListenerConfig { Protocol = protocol, Addresses = [address], Tls = tls });
    }

    /// <summary>A queue to make at start when it is missing.</summary>
    public void AddQueue(QueueEntryConfig queue) => _queues.Add(queue);

    /// <summary>The configuration. Throws <see cref="ConfigException"/>.</summary>
    internal PillarboxConfig Build() => ConfigLoader.Load(new ConfigSources
    {
        File = ConfigFile,
        Flags = config => Configure(config with
        {
            DataDirectory = DataDirectory ?? config.DataDirectory,
            Listeners = _listeners.Count > 0 ? _listeners : config.Listeners,
            Queues = [.. config.Queues, .. _queues],
        }),
    });
}
