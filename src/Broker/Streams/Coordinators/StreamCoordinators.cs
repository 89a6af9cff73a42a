using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Broker.Streams.Transactions;
using Pillarbox.Model;

namespace Pillarbox.Broker.Streams.Coordinators;

/// <summary>Limits and defaults of all coordinators. Immutable.</summary>
public sealed record CoordinatorOptions
{
    /// <summary>Partitions of each internal stream; what tools of the field expect. Only for streams that are not yet
    /// there.</summary>
    public int Partitions { get; init; } = 50;

    /// <summary>Of consumer groups and their offsets.</summary>
    public GroupOptions Groups { get; init; } = new();

    /// <summary>Of transactional ids.</summary>
    public TransactionOptions Transactions { get; init; } = new();

    /// <summary>Of share groups.</summary>
    public ShareOptions Shares { get; init; } = new();
}

/// <summary>
/// The coordinators of an address space over its streams: groups with their offsets, and transactions. They are made
/// with the first client that needs them, with the internal streams that they write to. Any thread.
/// </summary>
public sealed class StreamCoordinators
{
    /// <summary>The stream of groups and offsets.</summary>
    public const string OffsetsStream = "__consumer_offsets";

    /// <summary>The stream of transactional ids.</summary>
    public const string TransactionsStream = "__transaction_state";

    /// <summary>The stream of where share groups are.</summary>
    public const string ShareStream = "__share_group_state";

    private readonly StreamCatalog _catalog;
    private readonly Authorizer _authorizer;
    private readonly CoordinatorOptions _options;
    private readonly FirstUse<ShareCoordinator> _shares;
    private readonly DeletedTopics _deleted;
    private int _ticking;

    private StreamCoordinators(
        StreamCatalog catalog, Authorizer authorizer, CoordinatorOptions options,
        Action<ShareDeadLetter, Action<bool>>? keepDeadLetters)
    {
        _catalog = catalog;
        _authorizer = authorizer;
        _options = options;
        StreamServices services = catalog.Services;
        CoordinatorLoop loop = new(services.Logger);
        CoordinatorSeams seams = new(
            services.Time, services.Random, new CatalogTopicView(catalog), services.Logger);
        ICoordinatorLog offsetsLog = OpenLog(OffsetsStream, out RecordStream offsets);
        Groups = GroupCoordinator.Open(options.Groups, offsetsLog, loop, seams);
        _shares = new(() =>
        {
            ShareCoordinator made = ShareCoordinator.Open(options.Shares, OpenLog(ShareStream, out _), loop, seams);
            made.ConfigOf = Groups.ConfigOf;
            if (keepDeadLetters is not null)
            {
                made.KeepDeadLetters(keepDeadLetters);
            }

            return made;
        });
        Groups.ShareMemberGone = (group, member) => WithShares(shares => shares.Release(group, member));
        Groups.ShareGroupDeleted = group => WithShares(shares => shares.Forget(key => key.GroupId == group, _ => { }));
        Groups.ForgetMissingTopics();
        _deleted = new DeletedTopics(catalog, OnDeleted);
        _deleted.Look();
        StreamTransactionPartitions partitions = new(catalog, offsets, Groups);
        Transactions = TransactionCoordinator.Open(
            options.Transactions, OpenLog(TransactionsStream, out _), loop, seams, partitions);
        // Dead letters may wait since the node stopped.
        WithShares(_ => { });
    }

    /// <summary>Consumer groups and offsets.</summary>
    public GroupCoordinator Groups { get; }

    /// <summary>Producers and transactions.</summary>
    public TransactionCoordinator Transactions { get; }

    /// <summary>Where share groups are in partitions. Made with its stream by the first use.</summary>
    public ShareCoordinator Shares => _shares.Value;

    /// <summary>Whether coordinators were in use before: then what was under way when the node stopped has to go
    /// on.</summary>
    public static bool AreInUse(StreamCatalog catalog) =>
        catalog.Find(TransactionsStream) is not null || catalog.Find(OffsetsStream) is not null;

    /// <summary>Makes the internal streams if need be and reads back what is in them. <paramref
    /// name="keepDeadLetters"/>: see <see cref="ShareCoordinator.KeepDeadLetters"/>. Errors: <see
    /// cref="BrokerException"/> when there is no room to make them.</summary>
    public static StreamCoordinators Open(
        StreamCatalog catalog, Authorizer authorizer, CoordinatorOptions? options = null,
        Action<ShareDeadLetter, Action<bool>>? keepDeadLetters = null) =>
        new(catalog, authorizer, options ?? new CoordinatorOptions(), keepDeadLetters);

    /// <summary>Keeps offsets of a group under a transaction, which takes the group's partition in when it is of
    /// version 2; one of version 1 must have it already. Nothing comes between the check and the write, so that a
    /// transaction that ends meanwhile leaves nothing behind.</summary>
    public void CommitOffsets(TransactionRef who, OffsetCommitRequest request, Action<OffsetCommitResult> done) =>
        Transactions.Enter(who, request.Member.GroupId, error =>
        {
            if (error == CoordinatorError.None)
            {
                Groups.CommitOffsetsNow(request with { Producer = who.Producer }, done);
            }
            else
            {
                done(OffsetCommitResult.Of(error));
            }
        });

    /// <summary>Does what is due. Called every 50 ms or so by the node.</summary>
    public void Tick()
    {
        if (Interlocked.Exchange(ref _ticking, 1) != 0)
        {
            return;
        }

        _deleted.Look();
        Volatile.Write(ref _ticking, 0);
        Groups.Tick();
        Transactions.Tick();
        if (_shares.IsMade)
        {
            Shares.Tick();
        }
    }

    private void OnDeleted(string topic, Guid id)
    {
        Groups.OnTopicDeleted(topic);
        WithShares(shares => shares.Forget(key => key.Partition.TopicId == id, _ => { }));
    }

    // Who never used share groups gets no stream for them by the way.
    private void WithShares(Action<ShareCoordinator> act)
    {
        if (_shares.IsMade || _catalog.Find(ShareStream) is not null)
        {
            act(Shares);
        }
    }

    private StreamCoordinatorLog OpenLog(string name, out RecordStream stream)
    {
        StreamServices services = _catalog.Services;
        CreationGate gate = new(isOpen: true);
        RecordStream? found = _catalog.Find(name);
        if (found is null)
        {
            gate = new CreationGate(isOpen: false);
            found = Create(name, gate);
        }

        stream = found;
        return new StreamCoordinatorLog(stream, gate, services.Time, services.Logger);
    }

    private RecordStream Create(string name, CreationGate gate)
    {
        Grant grant = _authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, _catalog.AddressSpace, new AddressName(name, null));
        CatalogResult result = _catalog.Create(grant, new StreamSpec
        {
            Name = name,
            Partitions = _options.Partitions,
            Config = OwnStreams.Settings,
            IsInternal = true,
        });
        if (result.Stream is not { } stream)
        {
            throw new BrokerException(BrokerError.Unavailable, result.Message ?? $"stream '{name}' cannot be made");
        }

        _catalog.WhenDurable(result.DurableAt, gate);
        return stream;
    }
}
