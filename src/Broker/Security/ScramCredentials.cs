using Pillarbox.Broker.Security.Sasl;

namespace Pillarbox.Broker.Security;

/// <summary>A SCRAM verifier of a user, for lists. Holds nothing secret.</summary>
public readonly record struct ScramView(string User, string Mechanism, int Iterations);

/// <summary>A password as a SCRAM client salts it (RFC 5802 section 3), to make a verifier of.</summary>
/// <param name="Iterations">From 4096 to 2,000,000.</param>
/// <param name="Salt">1 to 1024 bytes.</param>
/// <param name="SaltedPassword">As long as the mechanism's hash.</param>
public sealed record ScramSalted(int Iterations, byte[] Salt, byte[] SaltedPassword);

/// <summary>A verifier to set, or, without one, to remove.</summary>
public readonly record struct ScramChange(string User, string Mechanism, ScramSalted? Salted);

/// <summary>Changes of verifiers that are made elsewhere. Pure.</summary>
internal static class ScramCredentials
{
    private const int SaltBytesMax = 1024;

    public static IEnumerable<ScramView> Of(UserEntry user) =>
        user.Scram.Select(scram => new ScramView(user.Name, scram.Mechanism, scram.Iterations));

    /// <summary>A sentence that says why a change cannot be; null when it can.</summary>
    public static string? Fault(ScramChange change) =>
        HashOf(change.Mechanism) is not { } hash ? $"there is no mechanism {change.Mechanism}"
        : change.Salted is not { } salted ? null
        : salted.Iterations is < ScramHash.IterationsMin or > ScramHash.IterationsMax
            ? $"iterations are {ScramHash.IterationsMin} to {ScramHash.IterationsMax}, not {salted.Iterations}"
        : salted.Salt.Length is 0 or > SaltBytesMax ? $"a salt has 1 to {SaltBytesMax} bytes"
        : salted.SaltedPassword.Length != hash.Size ? $"a salted password of {change.Mechanism} has {hash.Size} bytes"
        : null;

    /// <summary>The users after changes. <see cref="BrokerException"/> NotFound: a verifier to remove that is not
    /// there.</summary>
    public static void Apply(List<UserEntry> users, IReadOnlyList<ScramChange> changes)
    {
        foreach (ScramChange change in changes)
        {
            int at = users.FindIndex(user => user.Name == change.User);
            if (at < 0 && change.Salted is not null)
            {
                at = users.Count;
                users.Add(new UserEntry { Name = change.User });
            }

            if (change.Salted is null
                && (at < 0 || users[at].Scram.All(scram => scram.Mechanism != change.Mechanism)))
            {
                throw new BrokerException(
                    BrokerError.NotFound, $"there is no {change.Mechanism} credential of user \"{change.User}\"");
            }

            users[at] = Changed(users[at], change);
        }
    }

    private static UserEntry Changed(UserEntry user, ScramChange change)
    {
        List<ScramEntry> scram = [.. user.Scram.Where(entry => entry.Mechanism != change.Mechanism)];
        if (change.Salted is not { } salted)
        {
            return user with { Scram = scram };
        }

        ScramHash hash = HashOf(change.Mechanism)!;
        scram.Add(new ScramEntry
        {
            Mechanism = change.Mechanism,
            Iterations = salted.Iterations,
            Salt = salted.Salt,
            StoredKey = hash.Hash(hash.ClientKey(salted.SaltedPassword)),
            ServerKey = hash.ServerKey(salted.SaltedPassword),
        });
        // The password itself is not known: what was kept of an older one must not let anybody in.
        return user with { Scram = scram, Plain = null };
    }

    private static ScramHash? HashOf(string mechanism) =>
        mechanism == ScramHash.Sha256.Mechanism ? ScramHash.Sha256
        : mechanism == ScramHash.Sha512.Mechanism ? ScramHash.Sha512
        : null;
}
