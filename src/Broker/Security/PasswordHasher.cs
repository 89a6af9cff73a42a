using System.Security.Cryptography;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security;

/// <summary>Makes and checks what is kept of passwords. Pure apart from its randomness; any thread.</summary>
internal sealed class PasswordHasher(UserStoreOptions options)
{
    private const int SaltBytes = 16;
    private const int HashBytes = 64;

    /// <summary>The entry with verifiers for a password: one for PLAIN, one for each SCRAM mechanism.</summary>
    public UserEntry WithPassword(UserEntry entry, Secret password)
    {
        byte[] salt = Salt();
        byte[] prepared = SaslText.Prepare(password);
        return entry with
        {
            Plain = new PlainEntry
            {
                Iterations = options.PlainIterations,
                Salt = salt,
                Hash = Hash(password.Reveal(), salt, options.PlainIterations),
            },
            Scram = [Scram(ScramHash.Sha256, prepared), Scram(ScramHash.Sha512, prepared)],
        };
    }

    /// <summary>Whether the password is right. Without an entry it does the same work and says no.</summary>
    public bool IsRight(UserTable table, string name, PlainEntry? entry, Secret password)
    {
        byte[] salt = entry?.Salt ?? table.MadeUpSalt(name, "plain", SaltBytes);
        byte[] hash = Hash(password.Reveal(), salt, entry?.Iterations ?? options.PlainIterations);
        return CryptographicOperations.FixedTimeEquals(hash, entry?.Hash ?? new byte[HashBytes]) && entry is not null;
    }

    /// <summary>A verifier for a name that nobody has, the same each time.</summary>
    public ScramVerifier MadeUp(UserTable table, string name, ScramHash hash)
    {
        byte[] salt = table.MadeUpSalt(name, hash.Mechanism, SaltBytes);
        byte[] key = table.MadeUpSalt(name, hash.Mechanism + " key", hash.Size);
        return new ScramVerifier(salt, options.ScramIterations, key, key, Identity: null);
    }

    private static byte[] Hash(ReadOnlySpan<byte> password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA512, HashBytes);

    private ScramEntry Scram(ScramHash hash, byte[] prepared)
    {
        Invariant.That(options.ScramIterations >= ScramHash.IterationsMin);
        byte[] salt = Salt();
        byte[] salted = hash.SaltedPassword(prepared, salt, options.ScramIterations);
        return new ScramEntry
        {
            Mechanism = hash.Mechanism,
            Iterations = options.ScramIterations,
            Salt = salt,
            StoredKey = hash.Hash(hash.ClientKey(salted)),
            ServerKey = hash.ServerKey(salted),
        };
    }

    private byte[] Salt()
    {
        byte[] salt = new byte[SaltBytes];
        options.Random.Fill(salt);
        return salt;
    }
}
