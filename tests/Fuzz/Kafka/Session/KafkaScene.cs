using System.IO.Pipelines;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Broker.Streams;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.Kafka;
using Pillarbox.Storage;

namespace Pillarbox.Fuzz.Kafka.Session;

/// <summary>A broker in memory with the Kafka engine before it, on threads of its own, and the topics that requests
/// name.</summary>
internal sealed class KafkaScene : IDisposable
{
    private const int PartitionsOfTopics = 2;

    // Not development mode, in which rules and users are out of reach.
    private static readonly SecurityConfig EverybodyMayDoEverything = new()
    {
        Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["#"] = new Dictionary<string, Permission> { ["anonymous"] = (Permission)4095 },
        },
    };

    private readonly SaslServers _sasl;
    private readonly UserStore _users;

    public KafkaScene()
    {
        var files = new MemoryFileSystem();
        Broker = MessageBroker.Open(new BrokerOptions
        {
            FileSystem = files,
            DataDirectory = "data",
            SegmentBytes = 1 << 16,
            StreamCacheBytes = 1 << 20,
            LoggerFactory = Faults,
            Security = EverybodyMayDoEverything,
        });
        _users = UserStore.Open(new UserStoreOptions { FileSystem = files, Path = "data/users.json" });
        _sasl = new SaslServers(_users, SystemRandom.Instance);
        Handler = HandlerOf(allowAnonymous: true);
        Strict = HandlerOf(allowAnonymous: false);
        TopicIds = [.. RequestGrammar.Topics.Select(Create)];
    }

    public MessageBroker Broker { get; }

    /// <summary>What the engine reported as its own fault.</summary>
    public FaultLog Faults { get; } = new();

    /// <summary>Nobody has to log in.</summary>
    public KafkaConnectionHandler Handler { get; }

    /// <summary>Everybody has to log in, and nobody can.</summary>
    public KafkaConnectionHandler Strict { get; }

    public Guid[] TopicIds { get; }

    /// <summary>Sends bytes, then the end of the input; returns what came back when the connection is over.</summary>
    public static async Task<byte[]> TalkAsync(KafkaConnectionHandler handler, byte[] input, TimeSpan patience)
    {
        var toServer = new Pipe();
        var toClient = new Pipe();
        var server = new Duplex(toServer.Reader, toClient.Writer);
        using var gone = new CancellationTokenSource();
        var peer = new PeerInfo { IsLoopback = true };
        Task running = handler.RunAsync(peer, server, () => toServer.Writer.Complete(), gone.Token);
        Task<byte[]> answers = ReadAsync(toClient.Reader);
        await toServer.Writer.WriteAsync(input);
        // What answers at once does so before the end of the input cuts the rest short.
        await Task.WhenAny(answers, Task.Delay(input.Length % 4 == 0 ? 5 : 0));
        await toServer.Writer.CompleteAsync();
        await gone.CancelAsync();
        await running.WaitAsync(patience);
        return await answers.WaitAsync(patience);
    }

    public void Dispose()
    {
        Handler.Dispose();
        Strict.Dispose();
        _users.Dispose();
        Broker.Dispose();
    }

    private static async Task<byte[]> ReadAsync(PipeReader reader)
    {
        using var bytes = new MemoryStream();
        await reader.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    private KafkaConnectionHandler HandlerOf(bool allowAnonymous) => new(
        Broker,
        new KafkaOptions { AllowAnonymous = allowAnonymous, FetchWaitMsMax = 5, ProduceBytesMax = 1 << 20 },
        _sasl,
        TimeProvider.System,
        Faults);

    private Guid Create(string topic)
    {
        Grant grant = Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName(topic, null));
        return Broker.Streams.Create(grant, new StreamSpec { Name = topic, Partitions = PartitionsOfTopics })
            .Stream!.Id;
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
