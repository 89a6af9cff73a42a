using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Quotas;

/// <summary>
/// The quotas of all address spaces, in one file of the data directory, which is replaced whole with each change. Any
/// thread.
/// </summary>
public sealed class QuotaStore
{
    /// <summary>The file's name.</summary>
    public const string FileName = "quotas.json";

    /// <summary>The most entities of an address space that have quotas.</summary>
    public const int EntitiesMax = 10_000;

    private readonly IFileSystem _files;
    private readonly string _path;
    private readonly Dictionary<string, QuotaBook> _books;

    // Of address spaces that the configuration does not have at this time: they are kept as they are.
    private readonly List<QuotaEntry> _others = [];

    // Rare: an operator changes a quota. Whoever counts does not take it.
    private readonly Lock _changes = new();

    private QuotaStore(IFileSystem files, string path, IEnumerable<string> spaces)
    {
        _files = files;
        _path = path;
        _books = spaces.ToDictionary(space => space, space => new QuotaBook(space), StringComparer.Ordinal);
    }

    /// <summary>Reads the file; none: no quotas. Throws <see cref="StorageException"/> when it cannot be used.
    /// </summary>
    public static QuotaStore Open(IFileSystem files, string directory, IEnumerable<string> spaces)
    {
        var store = new QuotaStore(files, $"{directory}/{FileName}", spaces);
        if (WholeFile.Read(files, store._path, QuotaFile.BytesMax) is { } bytes)
        {
            store.Take(QuotaFile.Parse(bytes, store._path));
        }

        return store;
    }

    /// <summary>The quotas of an address space, which must exist.</summary>
    public QuotaBook Of(string addressSpace) => _books[addressSpace];

    /// <summary>How clients of all address spaces were held back.</summary>
    internal IEnumerable<ThrottleView> Throttles() => _books.Values.SelectMany(book => book.Throttles());

    /// <summary>What is set in an address space. The grant is for <see cref="Permission.View"/> on <c>#</c>.</summary>
    public IReadOnlyDictionary<QuotaEntity, IReadOnlyDictionary<QuotaKind, double>> List(in Grant grant)
    {
        RequireGrant(grant);
        return Of(grant.AddressSpace).Table.Entries;
    }

    /// <summary>
    /// Sets and removes quotas, all or none; on disk when it returns. The grant is for <see cref="Permission.Edit"/> on
    /// <c>#</c>. Errors: <see cref="BrokerException"/> InvalidField (a value that is not above zero, an entity of
    /// nobody), ResourceLimitExceeded (too many entities); <see cref="StorageException"/>.
    /// </summary>
    public void Change(in Grant grant, IReadOnlyList<QuotaChange> changes)
    {
        RequireGrant(grant);
        Require(changes);
        lock (_changes)
        {
            QuotaBook book = Of(grant.AddressSpace);
            QuotaTable next = book.Table.With(changes);
            if (next.Entries.Count > EntitiesMax)
            {
                throw new BrokerException(
                    BrokerError.ResourceLimitExceeded, $"at most {EntitiesMax} users and clients have quotas");
            }

            var entries = new List<QuotaEntry>(_others);
            foreach ((string space, QuotaBook other) in _books)
            {
                QuotaTable table = other == book ? next : other.Table;
                entries.AddRange(table.Entries.Select(e => QuotaEntry.Of(space, e.Key, e.Value)));
            }

            WholeFile.Replace(_files, _path, new QuotaFile { Quotas = entries }.ToBytes());
            book.Table = next;
        }
    }

    private void Take(QuotaFile file)
    {
        foreach (IGrouping<string, QuotaEntry> space in file.Quotas.GroupBy(entry => entry.AddressSpace))
        {
            if (_books.TryGetValue(space.Key, out QuotaBook? book))
            {
                book.Table = book.Table.With(
                    from entry in space
                    from value in entry.Values
                    select new QuotaChange(entry.Entity, QuotaNames.Find(value.Key)!.Value, value.Value));
            }
            else
            {
                _others.AddRange(space);
            }
        }
    }

    /// <summary>Throws <see cref="BrokerException"/> InvalidField for what cannot be set.</summary>
    public static void Require(IReadOnlyList<QuotaChange> changes)
    {
        foreach (QuotaChange change in changes)
        {
            Require(change);
        }
    }

    private static void Require(QuotaChange change)
    {
        if (change.Value is { } value && !(value > 0 && double.IsFinite(value)))
        {
            throw new BrokerException(
                BrokerError.InvalidField, $"{QuotaNames.Of(change.Kind)} must be above 0, not {value}");
        }

        if (change.Entity == default)
        {
            throw new BrokerException(BrokerError.InvalidField, "a quota is for a user, a client id, or both");
        }
    }

    private static void RequireGrant(in Grant grant) =>
        Invariant.That(grant.Address == "#", "the grant is for the whole address space");
}
