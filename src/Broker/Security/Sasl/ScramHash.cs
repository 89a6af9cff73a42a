using System.Security.Cryptography;
using System.Text;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>The hash of a SCRAM mechanism and the formulas of RFC 5802 section 3 with it.</summary>
internal sealed class ScramHash
{
    /// <summary>The fewest iterations that a SHA-256 mechanism may use (RFC 7677 section 4).</summary>
    public const int IterationsMin = 4096;

    /// <summary>The most that our client computes for a server: about a second.</summary>
    public const int IterationsMax = 2_000_000;

    /// <summary>SCRAM-SHA-256 (RFC 7677).</summary>
    public static readonly ScramHash Sha256 = new(SaslServers.ScramSha256, HashAlgorithmName.SHA256, 32);

    /// <summary>SCRAM-SHA-512.</summary>
    public static readonly ScramHash Sha512 = new(SaslServers.ScramSha512, HashAlgorithmName.SHA512, 64);

    private ScramHash(string mechanism, HashAlgorithmName algorithm, int size)
    {
        Mechanism = mechanism;
        Algorithm = algorithm;
        Size = size;
    }

    public string Mechanism { get; }

    public HashAlgorithmName Algorithm { get; }

    /// <summary>Bytes of a hash.</summary>
    public int Size { get; }

    /// <summary>SaltedPassword := Hi(Normalize(password), salt, i), which is PBKDF2.</summary>
    public byte[] SaltedPassword(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, Algorithm, Size);

    /// <summary>ClientKey := HMAC(SaltedPassword, "Client Key").</summary>
    public byte[] ClientKey(byte[] saltedPassword) => Hmac(saltedPassword, "Client Key"u8);

    /// <summary>ServerKey := HMAC(SaltedPassword, "Server Key").</summary>
    public byte[] ServerKey(byte[] saltedPassword) => Hmac(saltedPassword, "Server Key"u8);

    /// <summary>StoredKey := H(ClientKey).</summary>
    public byte[] Hash(byte[] clientKey) => CryptographicOperations.HashData(Algorithm, clientKey);

    /// <summary>ClientSignature and ServerSignature := HMAC(key, AuthMessage).</summary>
    public byte[] Sign(byte[] key, string authMessage) => Hmac(key, Encoding.UTF8.GetBytes(authMessage));

    /// <summary>ClientProof := ClientKey XOR ClientSignature, and back.</summary>
    public static byte[] Xor(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        byte[] result = new byte[one.Length];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = (byte)(one[i] ^ other[i]);
        }

        return result;
    }

    private byte[] Hmac(byte[] key, ReadOnlySpan<byte> data) => CryptographicOperations.HmacData(Algorithm, key, data);
}
