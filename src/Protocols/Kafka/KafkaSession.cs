using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// What one connection knows of its client: who it is, and what it left behind in earlier requests. Owned by the
/// connection's reading loop; only <see cref="Closed"/> is for everybody.
/// </summary>
internal sealed class KafkaSession(KafkaEnvironment environment, PeerInfo peer, CancellationToken closed)
{
    public KafkaEnvironment Environment { get; } = environment;

    public PeerInfo Peer { get; } = peer;

    /// <summary>Cancelled when the peer is gone: whoever waits for it stops.</summary>
    public CancellationToken Closed { get; } = closed;

    /// <summary>Who has logged in; null: nobody, and somebody must.</summary>
    public Identity? Identity { get; set; } = environment.Options.AllowAnonymous ? Identity.Anonymous : null;

    /// <summary>The SASL exchange under way.</summary>
    public SaslExchange Sasl { get; } = new(environment, peer);

    /// <summary>The fetch session of the connection.</summary>
    public FetchSessions FetchSessions { get; } = new(environment.Random);

    /// <summary>The share session of the connection; null when there is none.</summary>
    public ShareSession? Share { get; set; }

    /// <summary>The id of this node.</summary>
    public int NodeId => Environment.Options.NodeId;

    /// <summary>The address space of the connection.</summary>
    public string AddressSpace { get; } = "default";

    /// <summary>The streams of the connection's address space.</summary>
    public StreamCatalog Streams => Environment.Broker.Streams;

    /// <summary>Whether the client may do this to the topic.</summary>
    public bool May(Permission permission, string topic) =>
        Environment.Broker.Authorizer.IsAllowed(
            Identity!, permission, AddressSpace, new AddressName(topic, null));

    /// <summary>The proof that the client may do this; <see cref="May"/> was asked before.</summary>
    public Grant GrantOf(Permission permission, string topic) =>
        Environment.Broker.Authorizer.Authorize(Identity!, permission, AddressSpace, new AddressName(topic, null));
}
