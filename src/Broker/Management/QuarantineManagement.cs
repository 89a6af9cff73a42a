using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Storage.Quarantine;

namespace Pillarbox.Broker.Management;

/// <summary>
/// What operators see and do of the quarantine. The bytes may be any message's, so it takes <see
/// cref="Permission.Manage"/> on everything of the address space that an entry is of; of all spaces when that is not
/// known. Any thread; throws <see cref="BrokerException"/> on refusal, <see cref="Storage.StorageException"/> when the
/// disk fails.
/// </summary>
public sealed class QuarantineManagement
{
    private readonly BrokerServices _services;

    internal QuarantineManagement(BrokerServices services) => _services = services;

    private QuarantineStore Store => _services.Damage.Store;

    /// <summary>The entries that the identity may see, oldest first; it must be an operator somewhere.</summary>
    public IReadOnlyList<QuarantineEntry> List(Identity who)
    {
        string home = who.AddressSpace ?? AddressSpaces.DefaultName;
        _services.Authorizer.Authorize(who, Permission.Manage, home, new AddressName("#", null));
        return [.. Store.List().Where(entry => May(who, entry))];
    }

    /// <summary>One entry. Errors: NotFound.</summary>
    public QuarantineEntry Get(Identity who, long id) =>
        List(who).FirstOrDefault(entry => entry.Id == id) ?? throw Missing(id);

    /// <summary>The bytes of an entry; the caller disposes them. Errors: NotFound.</summary>
    public QuarantineBytes Open(Identity who, long id) => Store.OpenBytes(Get(who, id).Id) ?? throw Missing(id);

    /// <summary>Deletes an entry with its bytes. Errors: NotFound.</summary>
    public void Drop(Identity who, long id)
    {
        if (!Store.Drop(Get(who, id).Id))
        {
            throw Missing(id);
        }
    }

    private static BrokerException Missing(long id) =>
        new(BrokerError.NotFound, $"there is no entry {id} in quarantine");

    private bool May(Identity who, QuarantineEntry entry) =>
        entry.Origin.Space is { } space
            ? May(who, space)
            : _services.Spaces.All.All(each => May(who, each.Name));

    private bool May(Identity who, string space) =>
        _services.Authorizer.IsAllowed(who, Permission.Manage, space, new AddressName("#", null));
}
