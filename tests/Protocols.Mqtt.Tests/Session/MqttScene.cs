using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>A broker in memory with the MQTT engine before it, and peers at pipes instead of sockets.</summary>
internal sealed class MqttScene : IAsyncDisposable
{
    private readonly List<MqttPeer> _peers = [];
    private readonly IFileSystem _files;
    private MqttOptions _options;
    private readonly SecurityConfig? _security;
    private readonly UserStore? _users;
    private readonly Func<BrokerOptions, BrokerOptions> _configure;
    private MqttConnectionHandler _handler = null!;

    public MqttScene(
        MqttOptions? options = null, SecurityConfig? security = null, UserStore? users = null,
        IFileSystem? files = null, Func<BrokerOptions, BrokerOptions>? configure = null)
    {
        _configure = configure ?? (options => options);
        _files = files ?? new MemoryFileSystem();
        _options = WithoutLinger(options ?? new MqttOptions { AllowAnyPassword = users is null });
        _security = security;
        _users = users;
        Open();
    }

    public MessageBroker Broker { get; private set; } = null!;

    public ManualClock Clock { get; } = new();

    /// <summary>A peer that has said nothing yet.</summary>
    public MqttPeer Peer(MqttVersion version = MqttVersion.V5, PeerInfo? info = null)
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var server = new Duplex(toServer.Reader, toClient.Writer);
        Task running = _handler.RunAsync(info ?? new PeerInfo { IsLoopback = true }, server);
        var peer = new MqttPeer(toClient.Reader, toServer.Writer, running, version);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>A client that is let in.</summary>
    public async Task<MqttPeer> ConnectAsync(
        string clientId, MqttVersion version = MqttVersion.V5, bool clean = true, uint expiry = 0,
        Func<ConnectPacket, ConnectPacket>? with = null)
    {
        MqttPeer peer = Peer(version);
        var connect = new ConnectPacket
        {
            Version = version,
            ClientId = clientId,
            CleanStart = clean,
            SessionExpiry = expiry,
        };
        peer.Admission = await peer.ConnectAsync(with is null ? connect : with(connect));
        Assert.Equal(ReasonCode.Success, peer.Admission.Reason);
        return peer;
    }

    /// <summary>Stops the node and starts it again on the same disk.</summary>
    public async Task RestartAsync(MqttOptions? options = null)
    {
        await CloseAsync();
        _options = options is null ? _options : WithoutLinger(options);
        Open();
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    private async Task CloseAsync()
    {
        foreach (MqttPeer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        _peers.Clear();
        // As a node stops: what was taken and nobody was told of yet is written.
        Task drained = Broker.DrainAsync(TimeSpan.FromSeconds(1));
        while (!drained.IsCompleted)
        {
            Clock.Advance(20);
            await Task.Delay(1);
        }

        _handler.Dispose();
        Broker.Dispose();
    }

    // There is no system between the two ends that would throw words away.
    private static MqttOptions WithoutLinger(MqttOptions options) => options with { LingerMs = 0 };

    private void Open()
    {
        Broker = MessageBroker.Open(_configure(new BrokerOptions
        {
            FileSystem = _files,
            DataDirectory = "data",
            Security = _security,
            Time = Clock,
            ContentMaps = [new Content.MqttContentMap()],
        }));
        var sasl = new SaslServers(_users, SystemRandom.Instance);
        _handler = new MqttConnectionHandler(Broker, _options, sasl, Clock, NullLoggerFactory.Instance);
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
