using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>Where a node's users are kept.</summary>
public static class NodeUsers
{
    private const string FileName = "users.json";

    /// <summary>
    /// Opens the users of a data directory, to change them; a node that runs on it sees the change within a second.
    /// Throws
    /// <see cref="StorageException"/> when the file cannot be used.
    /// </summary>
    public static UserStore Open(PillarboxConfig config)
    {
        DiskFileSystem disk = DiskFileSystem.Instance;
        if (config.Security.UsersFile is null)
        {
            disk.CreateDirectory(config.DataDirectory);
        }

        return Open(config, disk, new NodeSeams());
    }

    internal static UserStore Open(PillarboxConfig config, IFileSystem data, NodeSeams seams)
    {
        string? named = config.Security.UsersFile;
        return UserStore.Open(new UserStoreOptions
        {
            FileSystem = named is null ? data : DiskFileSystem.Instance,
            Path = named ?? $"{NodeBroker.DirectoryOf(config)}/{FileName}",
            Time = seams.Time,
            Random = seams.Random,
        });
    }
}
