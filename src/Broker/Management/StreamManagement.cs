using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Model;

namespace Pillarbox.Broker.Management;

/// <summary>
/// What an operator sees of streams and does to them. Any thread; views are immutable copies. Operations check the
/// identity's permissions and throw <see cref="BrokerException"/> on refusal; what they changed is on disk when they
/// complete.
/// </summary>
public sealed class StreamManagement
{
    private readonly MessageBroker _broker;

    internal StreamManagement(MessageBroker broker) => _broker = broker;

    /// <summary>The streams that the identity may view, by name.</summary>
    public IReadOnlyList<StreamView> List(Identity who, string space) =>
    [
        .. Catalog(space).All.Where(stream => May(who, Permission.View, space, stream.Name))
            .OrderBy(stream => stream.Name, StringComparer.Ordinal).Select(stream => ViewOf(space, stream)),
    ];

    /// <summary>One stream. Errors: NotFound, also when it may not be seen.</summary>
    public StreamView Show(Identity who, string space, string name) =>
        ViewOf(space, Visible(who, Permission.View, space, name));

    /// <summary>Makes a stream; one that exists with the same partitions and settings is fine. Errors:
    /// PreconditionFailed, InvalidField.</summary>
    public async Task CreateAsync(Identity who, string space, StreamSpec spec)
    {
        Grant grant = Authorize(who, Permission.CreateAddress, space, spec.Name);
        StreamCatalog catalog = Catalog(space);
        CatalogResult result = catalog.Create(grant, spec);
        if (result.Error == StreamError.AlreadyExists && catalog.Find(spec.Name) is { } found && IsAs(found, spec))
        {
            return;
        }

        await WhenDurableAsync(catalog, result);
    }

    /// <summary>Deletes a stream with its records.</summary>
    public Task DeleteAsync(Identity who, string space, string name)
    {
        Grant grant = Authorize(who, Permission.DeleteAddress, space, name);
        StreamCatalog catalog = Catalog(space);
        return WhenDurableAsync(catalog, catalog.Delete(grant, NotInternal(Need(space, name))));
    }

    /// <summary>Sets some settings, gives others back to their defaults, adds partitions. Errors: InvalidField when
    /// one of it cannot be; nothing is changed then.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="space">The address space.</param>
    /// <param name="name">The stream.</param>
    /// <param name="set">New values by name.</param>
    /// <param name="reset">Names of settings that get their defaults.</param>
    /// <param name="partitions">How many partitions there shall be; null = as many as there are.</param>
    public async Task AlterAsync(
        Identity who, string space, string name, IReadOnlyDictionary<string, string> set,
        IReadOnlyCollection<string> reset, int? partitions)
    {
        Grant grant = Authorize(who, Permission.Edit, space, name);
        StreamCatalog catalog = Catalog(space);
        RecordStream stream = Need(space, name);
        Dictionary<string, string> given = Changed(stream, set, reset);
        if (partitions is { } count && count != NotInternal(stream).Partitions.Count)
        {
            Grant making = Authorize(who, Permission.CreateAddress, space, name);
            await WhenDurableAsync(catalog, catalog.SetPartitionCount(making, stream, count));
        }

        if (set.Count > 0 || reset.Count > 0)
        {
            await WhenDurableAsync(catalog, catalog.SetConfig(grant, stream, given));
        }
    }

    /// <summary>Where a time, in milliseconds since the Unix epoch, or one of <see cref="OffsetSpecial"/> is in each
    /// partition.</summary>
    public IReadOnlyList<PartitionOffset> Seek(Identity who, string space, string name, long timestampMs) =>
    [
        .. Visible(who, Permission.View, space, name).Partitions.Select(partition =>
        {
            OffsetResult found = partition.ListOffset(timestampMs, Isolation.Uncommitted);
            return found.Error == StreamError.None
                ? new PartitionOffset(partition.Number, found.Offset, found.TimestampMs)
                : throw Refused(found.Error, $"partition {partition.Number} cannot be read: {found.Error}");
        }),
    ];

    /// <summary>Looks at records, waiting for some when there are none. Reads only what is decided, and leaves out what
    /// was aborted.</summary>
    public Task<RecordsView> ReadAsync(
        Identity who, string space, string name, RecordInspectionOptions options, CancellationToken cancellation)
    {
        RecordStream stream = Visible(who, Permission.Browse, space, name);
        return RecordInspection.ReadAsync(Catalog(space), stream, options, cancellation);
    }

    internal static BrokerException Refused(StreamError error, string message) => new(
        error switch
        {
            StreamError.UnknownStream or StreamError.UnknownPartition or StreamError.UnknownStreamId =>
                BrokerError.NotFound,
            StreamError.AlreadyExists => BrokerError.PreconditionFailed,
            StreamError.InvalidName or StreamError.InvalidConfig or StreamError.InvalidPartitions
                or StreamError.OffsetOutOfRange => BrokerError.InvalidField,
            StreamError.LimitReached => BrokerError.ResourceLimitExceeded,
            _ => BrokerError.Unavailable,
        },
        message);

    internal static StreamView ViewOf(string space, RecordStream stream)
    {
        IReadOnlyList<Partition> partitions = stream.Partitions;
        PartitionView[] views = [.. partitions.Select(p => new PartitionView(
            p.Number, p.StartOffset, p.HighWatermark, p.LastStableOffset, p.EndOffset, p.LeaderEpoch, p.SizeBytes))];
        return new StreamView(
            space, stream.Name, stream.Id, stream.IsInternal, stream.CreatedAtMs, views, stream.Config.Given)
        {
            SizeBytes = views.Sum(p => p.SizeBytes),
            Records = views.Sum(p => p.HighWatermark - p.StartOffset),
            AppendedRecordsTotal = partitions.Sum(p => p.Counters.AppendedRecords),
            AppendedBytesTotal = partitions.Sum(p => p.Counters.AppendedBytes),
            ReadBytesTotal = partitions.Sum(p => p.Counters.ReadBytes),
        };
    }

    private static Dictionary<string, string> Changed(
        RecordStream stream, IReadOnlyDictionary<string, string> set, IReadOnlyCollection<string> reset)
    {
        var given = new Dictionary<string, string>(stream.Config.Given, StringComparer.Ordinal);
        foreach ((string setting, string value) in set)
        {
            given[setting] = value;
        }

        foreach (string setting in reset)
        {
            if (!StreamSetting.All.ContainsKey(setting))
            {
                throw new BrokerException(BrokerError.InvalidField, $"there is no setting '{setting}'");
            }

            given.Remove(setting);
        }

        CatalogResult check = StreamCatalog.CheckConfig(stream, given);
        return check.Error == StreamError.None
            ? given
            : throw new BrokerException(BrokerError.InvalidField, check.Message!);
    }

    private static bool IsAs(RecordStream found, StreamSpec spec) =>
        (spec.Partitions < 0 || spec.Partitions == found.Partitions.Count)
        && spec.Config.Count == found.Config.Given.Count
        && spec.Config.All(pair => found.Config.Given.GetValueOrDefault(pair.Key) == pair.Value);

    // The node's own records are no operator's to change: a group or a transaction would come out of them broken.
    private static RecordStream NotInternal(RecordStream stream) => !stream.IsInternal ? stream : throw new
        BrokerException(BrokerError.PreconditionFailed, $"stream '{stream.Name}' is the node's own and stays as it is");

    private static async Task WhenDurableAsync(StreamCatalog catalog, CatalogResult result)
    {
        if (result.Error != StreamError.None)
        {
            throw Refused(result.Error, result.Message ?? $"refused: {result.Error}");
        }

        var wait = new DurableWait();
        catalog.WhenDurable(result.DurableAt, wait);
        await wait.Task.ConfigureAwait(false);
    }

    private RecordStream Visible(Identity who, Permission permission, string space, string name)
    {
        RecordStream stream = Need(space, name);
        Authorize(who, permission, space, name);
        return stream;
    }

    private StreamCatalog Catalog(string space) =>
        _broker.StreamsOf(space)
        ?? throw new BrokerException(BrokerError.NotFound, $"there is no address space '{space}'");

    private RecordStream Need(string space, string name) =>
        Catalog(space).Find(name)
        ?? throw new BrokerException(BrokerError.NotFound, $"there is no stream '{name}'");

    private bool May(Identity who, Permission permission, string space, string name) =>
        _broker.Authorizer.IsAllowed(who, permission, space, new AddressName(name, null));

    private Grant Authorize(Identity who, Permission permission, string space, string name) =>
        _broker.Authorizer.Authorize(who, permission, space, new AddressName(name, null));
}
