using Pillarbox.Broker.Quotas;
using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// What one connection knows of its client: who it is, and what it left behind in earlier requests. Owned by the
/// connection's reading loop; only <see cref="Closed"/> and <see cref="HeldBytes"/> are for everybody.
/// </summary>
internal sealed class KafkaSession
{
    private StreamCatalog? _streams;
    private QuotaBook? _quotas;
    private TopicAccess? _topicAccess;
    private bool _hasLoggedIn;
    private long _heldBytes;

    /// <summary>Who need not log in, or has shown a user's certificate, is in at once.</summary>
    public KafkaSession(KafkaEnvironment environment, PeerInfo peer, CancellationToken closed)
    {
        Environment = environment;
        Peer = peer;
        Closed = closed;
        AddressSpace = environment.Options.AddressSpace;
        Sasl = new SaslExchange(environment, peer);
        FetchSessions = new FetchSessions(environment.Random);
        Throttle = new Throttle(this);
        Identity? known = peer.ClientCertificate is { } shown ? environment.Sasl.OfCertificate(shown) : null;
        if (known is not null)
        {
            _ = TakeIn(known, long.MaxValue);
        }
        else if (environment.Options.AllowAnonymous)
        {
            _ = TakeIn(Identity.Anonymous, long.MaxValue);
        }
    }

    public KafkaEnvironment Environment { get; }

    public PeerInfo Peer { get; }

    /// <summary>Cancelled when the peer is gone: whoever waits for it stops.</summary>
    public CancellationToken Closed { get; }

    /// <summary>Bytes of records that answers hold which have not left. Any thread.</summary>
    public long HeldBytes => Volatile.Read(ref _heldBytes);

    /// <summary>An answer holds so many bytes of records more, or fewer. Any thread.</summary>
    public void Hold(long change) => Interlocked.Add(ref _heldBytes, change);

    /// <summary>Who has logged in; null: nobody, and somebody must.</summary>
    public Identity? Identity { get; private set; }

    /// <summary>When the login is no longer good, in steady milliseconds: by then the client logs in again.</summary>
    public long ExpiresAtMs { get; private set; } = long.MaxValue;

    /// <summary>The SASL exchange under way.</summary>
    public SaslExchange Sasl { get; }

    /// <summary>How the connection is held back by quotas.</summary>
    public Throttle Throttle { get; }

    /// <summary>The quotas of the connection's address space.</summary>
    public QuotaBook Quotas => _quotas!;

    /// <summary>The fetch session of the connection.</summary>
    public FetchSessions FetchSessions { get; }

    /// <summary>The share session of the connection; null when there is none.</summary>
    public ShareSession? Share { get; set; }

    /// <summary>The id of this node.</summary>
    public int NodeId => Environment.Options.NodeId;

    /// <summary>The address space of the connection: the listener's, else the user's, else the default one.</summary>
    public string AddressSpace { get; private set; }

    /// <summary>The topics that the client may know of. Outlives the connection.</summary>
    public TopicAccess TopicAccess => _topicAccess!;

    /// <summary>The streams of the connection's address space.</summary>
    public StreamCatalog Streams => _streams!;

    /// <summary>The coordinators of the connection's address space.</summary>
    public StreamCoordinators Coordinators => Environment.Broker.CoordinatorsOf(AddressSpace);

    /// <summary>Takes in who has logged in, which counts more than a certificate; a sentence says why it cannot be. Who
    /// logs in again must be the same.</summary>
    public string? Enter(Identity who, long expiresAtMs)
    {
        if (_hasLoggedIn && (Identity!.Name != who.Name || Identity.AddressSpace != who.AddressSpace))
        {
            return $"user \"{who.Name}\" on a connection of user \"{Identity.Name}\"";
        }

        string? fault = TakeIn(who, expiresAtMs);
        _hasLoggedIn |= fault is null;
        return fault;
    }

    private string? TakeIn(Identity who, long expiresAtMs)
    {
        KafkaOptions options = Environment.Options;
        string space = options.IsAddressSpaceFixed ? options.AddressSpace : who.AddressSpace ?? options.AddressSpace;
        StreamCatalog? streams = Environment.Broker.StreamsOf(space);
        if (streams is null || !Authorizer.MayEnter(who, space))
        {
            return $"user \"{who.Name}\" may not enter the address space '{space}'";
        }

        _quotas = Environment.Broker.Quotas.Of(space);
        _topicAccess = new TopicAccess(Environment.Broker.Authorizer, who, space);
        (AddressSpace, _streams, Identity, ExpiresAtMs) = (space, streams, who, expiresAtMs);
        return null;
    }

    /// <summary>Whether the client may do this to the topic.</summary>
    public bool May(Permission permission, string topic, ResourceKind kind = ResourceKind.Address) =>
        Environment.Broker.Authorizer.IsAllowed(
            Identity!, permission, AddressSpace, new AddressName(topic, null), kind);

    /// <summary>Whether the client may do this to the address space as a whole, which clients call the cluster.
    /// </summary>
    public bool MayOnCluster(Permission permission) => May(permission, AddressPattern.AnyWords, ResourceKind.Space);

    /// <summary>Whether the client may be an idempotent producer.</summary>
    public bool MayWriteIdempotently =>
        Environment.Broker.Authorizer.MayWriteIdempotently(Identity!, AddressSpace);

    /// <summary>The proof that the client may do this; <see cref="May"/> was asked before.</summary>
    public Grant GrantOf(Permission permission, string topic) =>
        Environment.Broker.Authorizer.Authorize(Identity!, permission, AddressSpace, new AddressName(topic, null));

    /// <summary>The proof that the client may do this to the address space as a whole; <see cref="MayOnCluster"/> was
    /// asked before.</summary>
    public Grant GrantOnCluster(Permission permission) => Environment.Broker.Authorizer.Authorize(
        Identity!, permission, AddressSpace, new AddressName(AddressPattern.AnyWords, null), ResourceKind.Space);
}
