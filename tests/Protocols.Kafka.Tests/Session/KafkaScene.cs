using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Broker;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Security.Tokens;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>A broker in memory with the Kafka engine before it, and peers at pipes instead of sockets.</summary>
internal sealed class KafkaScene : IAsyncDisposable
{
    private readonly MessageBroker _broker;
    private readonly KafkaConnectionHandler _handler;
    private readonly List<KafkaPeer> _peers = [];

    private readonly SaslServers _sasl;
    private readonly KafkaOptions _options;

    public KafkaScene(
        KafkaOptions? options = null, SecurityConfig? security = null, MemoryFileSystem? files = null,
        TimeProvider? time = null, TokenVerifier? tokens = null, int refusalDelayMs = 0,
        CoordinatorOptions? coordinators = null, params string[] spaces)
    {
        Files = files ?? new MemoryFileSystem();
        _options = options ?? new KafkaOptions();
        _broker = MessageBroker.Open(new BrokerOptions
        {
            FileSystem = Files,
            DataDirectory = "data",
            Security = security,
            Coordinators = coordinators ?? new CoordinatorOptions(),
            AddressSpaces = spaces.ToDictionary(name => name, _ => new AddressSpaceOptions()),
        });
        Users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = Files,
            Path = "data/users.json",
            PlainIterations = 10,
            ScramIterations = 4096,
        });
        _sasl = new SaslServers(_options.AllowAnyPassword ? null : Users, SystemRandom.Instance, tokens)
        {
            RefusalDelayMs = refusalDelayMs,
            Time = time ?? TimeProvider.System,
        };
        _handler = new KafkaConnectionHandler(
            _broker, _options, _sasl, time ?? TimeProvider.System, NullLoggerFactory.Instance);
    }

    public MemoryFileSystem Files { get; }

    /// <summary>Who may log in; nobody until a test adds somebody.</summary>
    public UserStore Users { get; }

    public MessageBroker Broker => _broker;

    /// <summary>A peer that has logged in with PLAIN; the user is made.</summary>
    public async Task<KafkaPeer> ConnectAsync(string user, string? role = null, string? addressSpace = null)
    {
        Users.Add(user, new Secret("secret"), role is null ? [] : [role], addressSpace: addressSpace);
        KafkaPeer peer = Connect();
        Assert.Equal(0, (await peer.LogInAsync(user)).ErrorCode);
        return peer;
    }

    public KafkaPeer Connect(X509Certificate2? certificate = null)
    {
        var gone = new CancellationTokenSource();
        var blocks = new StrongBox<int>();
        var toServer = new Pipe(new PipeOptions(new CountingPool(blocks), minimumSegmentSize: 1 << 16));
        var toClient = new Pipe();
        var server = new Duplex(toServer.Reader, toClient.Writer);
        var peer = new PeerInfo { IsLoopback = true, ClientCertificate = certificate };
        Task running = _handler.RunAsync(peer, server, () => toServer.Writer.Complete(), gone.Token);
        var client = new KafkaPeer(toClient.Reader, toServer.Writer, running, gone)
        {
            BlocksHeld = () => Volatile.Read(ref blocks.Value),
        };
        _peers.Add(client);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (KafkaPeer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        _handler.Dispose();
        Users.Dispose();
        _broker.Dispose();
    }

    /// <summary>Memory of a pipe that counts the blocks which the pipe holds.</summary>
    private sealed class CountingPool(StrongBox<int> inUse) : MemoryPool<byte>
    {
        public override int MaxBufferSize => Shared.MaxBufferSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            Interlocked.Increment(ref inUse.Value);
            return new Block(inUse, Shared.Rent(minBufferSize));
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Block(StrongBox<int> inUse, IMemoryOwner<byte> owner) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory => owner.Memory;

            public void Dispose()
            {
                Interlocked.Decrement(ref inUse.Value);
                owner.Dispose();
            }
        }
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
