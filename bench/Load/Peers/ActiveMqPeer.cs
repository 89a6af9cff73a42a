using System.Diagnostics;

namespace Pillarbox.Load.Peers;

/// <summary>ActiveMQ Classic from Debian, KahaDB on disk, with the connectors that the package has: AMQP 1.0 is not
/// among them.</summary>
internal sealed class ActiveMqPeer : IPeer
{
    public const string Libraries = "/usr/share/activemq";

    /// <summary>What its MQTT connector reads packets with.</summary>
    public const string MqttCodec = "/usr/share/java/mqtt-client.jar";

    private static readonly Dictionary<string, string> Transports = new()
    {
        ["openwire"] = "tcp",
        ["stomp"] = "stomp",
        ["mqtt"] = "mqtt",
    };

    private readonly PeerProcess _process;
    private readonly Dictionary<string, int> _ports;

    private ActiveMqPeer(PeerProcess process, Dictionary<string, int> ports) => (_process, _ports) = (process, ports);

    public string Name => "activemq";

    public string Version => "ActiveMQ Classic (KahaDB)";

    public int Pid => _process.PidOf("java");

    public IReadOnlyList<string> Lines => _process.Lines;

    public string? AmqpUrl => null;

    public string QueueAddress(string queue) => $"queue://{queue}";

    /// <inheritdoc/>
    public string? AddressOf(string protocol) =>
        _ports.TryGetValue(protocol, out int port) ? $"127.0.0.1:{port}" : null;

    public static async Task<ActiveMqPeer> StartAsync()
    {
        string folder = PeerProcess.NewFolder("activemq");
        var ports = Transports.Keys.ToDictionary(protocol => protocol, _ => PeerProcess.FreePort());
        string connectors = string.Concat(ports.Select(one =>
            $"<transportConnector name=\"{one.Key}\" uri=\"{Transports[one.Key]}://127.0.0.1:{one.Value}\"/>"));
        string configuration = Path.Combine(folder, "activemq.xml");
        await File.WriteAllTextAsync(configuration, $"""
            <beans xmlns="http://www.springframework.org/schema/beans"
                xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                xsi:schemaLocation="http://www.springframework.org/schema/beans
                  http://www.springframework.org/schema/beans/spring-beans.xsd
                  http://activemq.apache.org/schema/core http://activemq.apache.org/schema/core/activemq-core.xsd">
              <broker xmlns="http://activemq.apache.org/schema/core" brokerName="load" useJmx="false"
                  dataDirectory="{folder}/data">
                <persistenceAdapter><kahaDB directory="{folder}/kahadb"/></persistenceAdapter>
                <transportConnectors>{connectors}</transportConnectors>
              </broker>
            </beans>
            """);
        string classPath = $"{Libraries}/lib/*:{Libraries}/bin/activemq.jar:/usr/share/java/*";
        ProcessStartInfo start = new("java",
            ["-Xmx1g", "-cp", classPath, $"-Dactivemq.home={folder}", $"-Dactivemq.base={folder}",
                "org.apache.activemq.console.Main", "start", $"xbean:file:{configuration}"]);
        PeerProcess process = PeerProcess.Start(start, folder);
        try
        {
            // Its logger is whichever of Debian's is found first, which may be one that says nothing.
            foreach (int port in ports.Values)
            {
                await process.WaitForPortAsync(port, 60);
            }
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        return new ActiveMqPeer(process, ports);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
