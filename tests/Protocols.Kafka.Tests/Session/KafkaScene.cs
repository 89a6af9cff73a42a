using System.IO.Pipelines;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>A broker in memory with the Kafka engine before it, and peers at pipes instead of sockets.</summary>
internal sealed class KafkaScene : IAsyncDisposable
{
    private readonly MessageBroker _broker;
    private readonly KafkaConnectionHandler _handler;
    private readonly List<KafkaPeer> _peers = [];

    public KafkaScene(KafkaOptions? options = null, SecurityConfig? security = null)
    {
        _broker = MessageBroker.Open(new BrokerOptions
        {
            FileSystem = new MemoryFileSystem(),
            DataDirectory = "data",
            Security = security,
        });
        var sasl = new SaslServers(null, SystemRandom.Instance);
        _handler = new KafkaConnectionHandler(
            _broker, options ?? new KafkaOptions(), sasl, TimeProvider.System, NullLoggerFactory.Instance);
    }

    public MessageBroker Broker => _broker;

    public KafkaPeer Connect()
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var server = new Duplex(toServer.Reader, toClient.Writer);
        Task running = _handler.RunAsync(new PeerInfo { IsLoopback = true }, server, () => toServer.Writer.Complete());
        var peer = new KafkaPeer(toClient.Reader, toServer.Writer, running);
        _peers.Add(peer);
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (KafkaPeer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        _handler.Dispose();
        _broker.Dispose();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
