using System.Security.Cryptography.X509Certificates;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Security;

/// <summary>How a password check ended.</summary>
public enum PasswordStatus
{
    /// <summary>Unknown user or wrong password: which of them is not told.</summary>
    Wrong,

    /// <summary>The user is who it says.</summary>
    Right,

    /// <summary>Too many checks at once: try again later.</summary>
    Busy,
}

/// <summary>The result of a password check; the identity when right.</summary>
public readonly record struct PasswordCheck(PasswordStatus Status, Identity? Identity);

/// <summary>One user, for lists. Holds nothing secret.</summary>
/// <param name="Name">The name.</param>
/// <param name="Roles">The roles.</param>
/// <param name="HasPassword">Whether a password logs in.</param>
/// <param name="Certificates">The certificates that log in.</param>
public sealed record UserView(
    string Name, IReadOnlyList<string> Roles, bool HasPassword, IReadOnlyList<string> Certificates)
{
    /// <summary>The one address space that the user may enter; null: any.</summary>
    public string? AddressSpace { get; init; }
}

/// <summary>
/// The users of a node, in one JSON file that holds verifiers, never passwords. Changed whole (written beside, synced,
/// renamed). Another process may change the file too (<c>pillarbox user add</c>): a login sees it within
/// <see cref="UserStoreOptions.RefreshIntervalMs"/>. Any thread.
/// </summary>
public sealed class UserStore : IDisposable
{
    /// <summary>The longest user name, in UTF-8 bytes.</summary>
    public const int NameBytesMax = 256;

    private readonly UserStoreOptions _options;
    private readonly PasswordHasher _hasher;
    private readonly VerifiedPasswords _verified;
    private readonly SemaphoreSlim _checks;

    // Rare: somebody adds a user. Readers take the table without it.
    private readonly Lock _changes = new();
    private volatile UserTable _table;
    private long _refreshedAt;
    private int _waiting;

    private UserStore(UserStoreOptions options)
    {
        _options = options;
        _hasher = new PasswordHasher(options);
        _verified = new VerifiedPasswords(options.Time, options.Random, options.VerifiedLifetimeMs);
        _checks = new SemaphoreSlim(
            options.ChecksAtOnceMax > 0 ? options.ChecksAtOnceMax : Math.Max(1, Environment.ProcessorCount / 2));
        _table = Load() ?? UserTable.Empty(options.Random);
        _refreshedAt = options.Time.GetTimestamp();
    }

    /// <summary>Whether nobody can log in.</summary>
    public bool IsEmpty => Refreshed().File.Users.Count == 0;

    /// <summary>Why the file could not be read again after it was changed (the users before the change stay in force);
    /// null when all is well.</summary>
    public string? RefreshFault { get; private set; }

    /// <summary>Reads the file. <see cref="StorageException"/> says what to do when it cannot be used; no file: no
    /// users.</summary>
    public static UserStore Open(UserStoreOptions options) => new(options);

    /// <summary>All users, by name.</summary>
    public IReadOnlyList<UserView> List() =>
    [
        .. Refreshed().File.Users.OrderBy(static user => user.Name, StringComparer.Ordinal)
            .Select(static user => new UserView(user.Name, user.Roles, user.Plain is not null, user.Certificates)
            {
                AddressSpace = user.AddressSpace,
            }),
    ];

    /// <summary>Adds a user. Errors: <see cref="BrokerException"/> PreconditionFailed (exists), InvalidField (name or
    /// password).</summary>
    /// <param name="name">Not empty, no control characters, does not begin with <c>$</c>.</param>
    /// <param name="password">Null: only certificates log in.</param>
    /// <param name="roles">The roles that permissions are given to.</param>
    /// <param name="certificates">Names as <c>dns:client.example</c>, <c>uri:</c>, <c>email:</c>, <c>cn:</c>, or
    /// <c>key:</c> with the SHA-256 of the public key.</param>
    /// <param name="addressSpace">The one address space that the user may enter; null: any.</param>
    public void Add(
        string name, Secret? password, IReadOnlyList<string> roles, IReadOnlyList<string>? certificates = null,
        string? addressSpace = null)
    {
        Require(CheckName(name));
        Require(password is null ? null : CheckPassword(password));
        var entry = new UserEntry
        {
            Name = name,
            Roles = [.. roles],
            Certificates = [.. certificates ?? []],
            AddressSpace = addressSpace,
        };
        entry = password is null ? entry : _hasher.WithPassword(entry, password);
        Change(users =>
        {
            if (users.Any(user => user.Name == name))
            {
                throw new BrokerException(BrokerError.PreconditionFailed, $"user \"{name}\" exists already");
            }

            users.Add(entry);
        });
    }

    /// <summary>Removes a user. Error: NotFound.</summary>
    public void Remove(string name) => Change(users =>
    {
        if (users.RemoveAll(user => user.Name == name) == 0)
        {
            throw NotFound(name);
        }
    });

    /// <summary>Gives a new password. Errors: NotFound, InvalidField.</summary>
    public void SetPassword(string name, Secret password)
    {
        Require(CheckPassword(password));
        UserEntry hashed = _hasher.WithPassword(new UserEntry(), password);
        Update(name, user => user with { Plain = hashed.Plain, Scram = hashed.Scram });
    }

    /// <summary>The SCRAM verifiers of all users, by name.</summary>
    public IReadOnlyList<ScramView> ListScram() =>
    [
        .. Refreshed().File.Users.OrderBy(static user => user.Name, StringComparer.Ordinal)
            .SelectMany(ScramCredentials.Of),
    ];

    /// <summary>
    /// Sets and removes SCRAM verifiers, all or none. A user that is not there is made, without roles; whoever gets a
    /// verifier loses the password that PLAIN knew. Errors: <see cref="BrokerException"/> NotFound (nothing to remove),
    /// InvalidField.
    /// </summary>
    public void ChangeScram(IReadOnlyList<ScramChange> changes)
    {
        foreach (ScramChange change in changes)
        {
            Require(CheckName(change.User) ?? ScramCredentials.Fault(change));
        }

        Change(users => ScramCredentials.Apply(users, changes));
    }

    /// <summary>Replaces the roles. Error: NotFound.</summary>
    public void SetRoles(string name, IReadOnlyList<string> roles) =>
        Update(name, user => user with { Roles = [.. roles] });

    /// <summary>The one address space that the user may enter from the next login on; null: any. Error:
    /// NotFound.</summary>
    public void SetAddressSpace(string name, string? addressSpace) =>
        Update(name, user => user with { AddressSpace = addressSpace });

    /// <summary>Checks a password away from the caller's thread, a few at a time. A wrong password and an unknown user
    /// cost the same.</summary>
    public async ValueTask<PasswordCheck> VerifyAsync(string name, Secret password, CancellationToken cancellation)
    {
        if (FindVerified(name, password) is { } known)
        {
            return new PasswordCheck(PasswordStatus.Right, known);
        }

        if (Interlocked.Increment(ref _waiting) > _options.ChecksWaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            return new PasswordCheck(PasswordStatus.Busy, null);
        }

        try
        {
            await _checks.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                // The rest runs on the pool, not on the connection's loop that called.
                await Task.Yield();
                return Verify(name, password);
            }
            finally
            {
                _checks.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>The identity when this password was right within the last minute; null: ask
    /// <see cref="VerifyAsync"/>.</summary>
    public Identity? FindVerified(string name, Secret password)
    {
        Refreshed();
        return _verified.Find(name, password);
    }

    /// <summary>The user whose certificate this is (the TLS layer has verified it), or null.</summary>
    public Identity? FindByCertificate(X509Certificate2 certificate)
    {
        UserTable table = Refreshed();
        foreach (string name in CertificateNames.Of(certificate))
        {
            if (table.FindByCertificate(name) is { } user)
            {
                return user.Identity;
            }
        }

        return null;
    }

    /// <summary>The verifier of a user, or one made up that nobody can meet.</summary>
    internal ScramVerifier FindScram(string name, ScramHash hash)
    {
        UserTable table = Refreshed();
        User? user = table.Find(name);
        ScramEntry? entry = user?.Entry.Scram.FirstOrDefault(scram => scram.Mechanism == hash.Mechanism);
        return entry is null
            ? _hasher.MadeUp(table, name, hash)
            : new ScramVerifier(entry.Salt, entry.Iterations, entry.StoredKey, entry.ServerKey, user!.Identity);
    }

    /// <inheritdoc/>
    public void Dispose() => _checks.Dispose();

    internal static string? CheckName(string name)
    {
        if (name.Length == 0)
        {
            return "the user name is empty";
        }

        if (System.Text.Encoding.UTF8.GetByteCount(name) > NameBytesMax)
        {
            return $"the user name is longer than {NameBytesMax} bytes";
        }

        return name[0] == '$' ? "a user name must not begin with $"
            : name.Any(char.IsControl) ? "the user name holds a control character"
            : SaslText.Prepare(name) != name
                ? "the user name holds an invisible character or a space that is not U+0020"
            : null;
    }

    private static string? CheckPassword(Secret password) => password.Reveal().Length switch
    {
        0 => "the password is empty",
        > Secret.BytesMax => $"the password is longer than {Secret.BytesMax} bytes",
        _ => password.Reveal().Contains((byte)0) ? "the password holds a NUL character" : null,
    };

    private static void Require(string? fault)
    {
        if (fault is not null)
        {
            throw new BrokerException(BrokerError.InvalidField, fault);
        }
    }

    private static BrokerException NotFound(string name) => new(BrokerError.NotFound, $"there is no user \"{name}\"");

    private PasswordCheck Verify(string name, Secret password)
    {
        UserTable table = _table;
        User? user = table.Find(name);
        if (!_hasher.IsRight(table, name, user?.Entry.Plain, password) || user is null)
        {
            return new PasswordCheck(PasswordStatus.Wrong, null);
        }

        if (ReferenceEquals(table, _table))
        {
            _verified.Add(name, password, user.Identity);
        }

        return new PasswordCheck(PasswordStatus.Right, user.Identity);
    }

    private void Update(string name, Func<UserEntry, UserEntry> change) => Change(users =>
    {
        int at = users.FindIndex(user => user.Name == name);
        users[at >= 0 ? at : throw NotFound(name)] = change(users[at]);
    });

    private void Change(Action<List<UserEntry>> change)
    {
        lock (_changes)
        {
            UserTable current = Load() ?? _table;
            List<UserEntry> users = [.. current.File.Users];
            change(users);
            UserFile file = current.File with { Users = users };
            Require(UserTable.Fault(file));
            UserTable next = UserTable.From(file);
            Save(next.Bytes);
            Swap(next);
        }
    }

    /// <summary>The table, after a look at the file when the last look was long ago.</summary>
    private UserTable Refreshed()
    {
        long last = Volatile.Read(ref _refreshedAt);
        if (_options.Time.GetElapsedTime(last).TotalMilliseconds < _options.RefreshIntervalMs
            || Interlocked.CompareExchange(ref _refreshedAt, _options.Time.GetTimestamp(), last) != last)
        {
            return _table;
        }

        lock (_changes)
        {
            try
            {
                UserTable? loaded = Load();
                RefreshFault = null;
                if (loaded is not null && !loaded.Bytes.SequenceEqual(_table.Bytes))
                {
                    Swap(loaded);
                }
            }
            catch (StorageException e)
            {
                RefreshFault = e.Message;
            }
        }

        return _table;
    }

    private void Swap(UserTable table)
    {
        _table = table;
        _verified.Clear();
    }

    private UserTable? Load() =>
        WholeFile.Read(_options.FileSystem, _options.Path, UserFile.BytesMax) is { } bytes
            ? UserTable.Parse(bytes, _options.Path)
            : null;

    private void Save(ReadOnlySpan<byte> bytes) => WholeFile.Replace(_options.FileSystem, _options.Path, bytes);
}
