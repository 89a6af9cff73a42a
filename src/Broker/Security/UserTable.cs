using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Security;

/// <summary>All users at one moment, indexed. Immutable.</summary>
internal sealed class UserTable
{
    private const int NodeKeyBytes = 32;
    private const string Mend =
        "put back one that was good, or move it away and make the users anew (pillarbox user add)";

    private readonly Dictionary<string, User> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, User> _byCertificate = new(StringComparer.Ordinal);
    private readonly byte[] _bytes;

    private UserTable(UserFile file, byte[] bytes)
    {
        File = file;
        _bytes = bytes;
        foreach (UserEntry entry in file.Users)
        {
            var user = new User(entry, new Identity(entry.Name, [.. entry.Roles], IsAnonymous: false)
            {
                AddressSpace = entry.AddressSpace,
            });
            _byName.Add(entry.Name, user);
            foreach (string certificate in entry.Certificates)
            {
                _byCertificate.Add(certificate, user);
            }
        }
    }

    public UserFile File { get; }

    /// <summary>The file's bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    public static UserTable Empty(IRandom random)
    {
        byte[] key = new byte[NodeKeyBytes];
        random.Fill(key);
        return From(new UserFile { NodeKey = key });
    }

    /// <summary>The table of a file without <see cref="Fault(UserFile)"/>.</summary>
    public static UserTable From(UserFile file) =>
        new(file, JsonSerializer.SerializeToUtf8Bytes(file, UserFileJson.Default.UserFile));

    /// <summary>Reads the file's bytes; <see cref="StorageException"/> names what is wrong.</summary>
    public static UserTable Parse(byte[] bytes, string path)
    {
        UserFile? file;
        try
        {
            file = JsonSerializer.Deserialize(bytes, UserFileJson.Default.UserFile);
        }
        catch (JsonException e)
        {
            throw new StorageException($"{path} is not a file of users: {e.Message}; {Mend}", e);
        }

        if (Fault(file) is { } fault)
        {
            throw new StorageException($"{path} is not a file of users: {fault}; {Mend}");
        }

        return new UserTable(file!, bytes);
    }

    public User? Find(string name) => _byName.GetValueOrDefault(name);

    public User? FindByCertificate(string name) => _byCertificate.GetValueOrDefault(name);

    /// <summary>A salt for a name that nobody has: always the same one, as a real user's would be.</summary>
    public byte[] MadeUpSalt(string name, string purpose, int bytes) =>
        HMACSHA512.HashData(File.NodeKey, Encoding.UTF8.GetBytes(purpose + "\0" + name))[..bytes];

    /// <summary>What is wrong with the file, or null.</summary>
    public static string? Fault(UserFile? file)
    {
        if (file is null)
        {
            return "it is empty";
        }

        if (file.Version is < 1 or > UserFile.CurrentVersion)
        {
            return $"its version {file.Version} is newer than this program knows; use a newer program";
        }

        if (file.NodeKey.Length != NodeKeyBytes)
        {
            return "its nodeKey is damaged";
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        var certificates = new HashSet<string>(StringComparer.Ordinal);
        foreach (UserEntry? user in file.Users)
        {
            // The reader keeps null out of properties, not out of lists.
            if (user is null || HasNull(user.Roles) || HasNull(user.Scram) || HasNull(user.Certificates))
            {
                return "a list of it holds null";
            }

            if (Fault(user) is { } fault)
            {
                return $"user \"{user.Name}\": {fault}";
            }

            if (!names.Add(user.Name))
            {
                return $"user \"{user.Name}\" stands there twice";
            }

            if (user.Certificates.FirstOrDefault(name => !certificates.Add(name)) is { } twice)
            {
                return $"the certificate \"{twice}\" belongs to two users";
            }
        }

        return null;
    }

    private static bool HasNull(IReadOnlyList<object?> items) => items.Contains(null);

    private static string? Fault(UserEntry user)
    {
        if (UserStore.CheckName(user.Name) is { } fault)
        {
            return fault;
        }

        if (user.Plain is { } plain && (plain.Iterations < 1 || plain.Salt.Length == 0 || plain.Hash.Length == 0))
        {
            return "its plain entry is damaged";
        }

        foreach (ScramEntry entry in user.Scram)
        {
            int size = entry.Mechanism == ScramHash.Sha256.Mechanism ? ScramHash.Sha256.Size
                : entry.Mechanism == ScramHash.Sha512.Mechanism ? ScramHash.Sha512.Size : -1;
            if (size < 0 || entry.Iterations < 1 || entry.Salt.Length == 0
                || entry.StoredKey.Length != size || entry.ServerKey.Length != size)
            {
                return $"its entry for \"{entry.Mechanism}\" is damaged";
            }
        }

        return null;
    }
}

/// <summary>A user with its identity, made once.</summary>
internal sealed record User(UserEntry Entry, Identity Identity);
