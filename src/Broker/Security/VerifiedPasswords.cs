using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>
/// Passwords that were right a moment ago, as hashes under a key that only this process has, so that a client that
/// reconnects (or a HTTP client that sends its password each time) does not cost a whole check again. Bounded in number
/// and time. Any thread.
/// </summary>
internal sealed class VerifiedPasswords
{
    /// <summary>The most that are remembered; beyond, the memory starts afresh.</summary>
    public const int EntriesMax = 4096;

    private readonly ConcurrentDictionary<Key, Entry> _entries = new();
    private readonly byte[] _key = new byte[32];
    private readonly TimeProvider _time;
    private readonly TimeSpan _lifetime;

    public VerifiedPasswords(TimeProvider time, IRandom random, int lifetimeMs)
    {
        _time = time;
        _lifetime = TimeSpan.FromMilliseconds(lifetimeMs);
        random.Fill(_key);
    }

    public Identity? Find(string user, Secret password)
    {
        Key key = KeyOf(user, password);
        if (!_entries.TryGetValue(key, out Entry entry))
        {
            return null;
        }

        if (_time.GetElapsedTime(entry.Since) < _lifetime)
        {
            return entry.Identity;
        }

        _entries.TryRemove(key, out _);
        return null;
    }

    public void Add(string user, Secret password, Identity identity)
    {
        if (_entries.Count >= EntriesMax)
        {
            _entries.Clear();
        }

        _entries[KeyOf(user, password)] = new Entry(identity, _time.GetTimestamp());
    }

    public void Clear() => _entries.Clear();

    private Key KeyOf(string user, Secret password)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(Encoding.UTF8.GetBytes(user));
        hash.AppendData([0]);
        hash.AppendData(password.Reveal());
        Span<byte> result = stackalloc byte[32];
        hash.GetHashAndReset(result);
        return MemoryMarshal.Read<Key>(result);
    }

    private readonly record struct Key(long A, long B, long C, long D);

    private readonly record struct Entry(Identity Identity, long Since);
}
