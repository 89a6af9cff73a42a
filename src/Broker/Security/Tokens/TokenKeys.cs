using System.Security.Cryptography;
using System.Text.Json;

namespace Pillarbox.Broker.Security.Tokens;

/// <summary>
/// The public keys of who issues tokens: a JSON Web Key Set (RFC 7517 section 5). Keys of other kinds than RSA and
/// elliptic curves, and those that are not for signatures, are left out. Immutable.
/// </summary>
internal sealed class TokenKeys
{
    /// <summary>The largest set that is read, in bytes.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>The most keys of a set.</summary>
    public const int KeysMax = 100;

    public static readonly TokenKeys None = new([]);

    private readonly List<TokenKey> _keys;

    private TokenKeys(List<TokenKey> keys) => _keys = keys;

    /// <summary>Reads a set. <see cref="FormatException"/> says why it is none.</summary>
    public static TokenKeys Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes.ToArray());
            var keys = new List<TokenKey>();
            foreach (JsonElement key in document.RootElement.GetProperty("keys"u8).EnumerateArray().Take(KeysMax))
            {
                if (TokenKey.TryRead(key) is { } read)
                {
                    keys.Add(read);
                }
            }

            return new TokenKeys(keys);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"this is no set of JSON web keys: {e.Message}", e);
        }
    }

    /// <summary>The key that a token names, for its algorithm; one without a name only if there is just one that could
    /// be meant.</summary>
    public TokenKey? Find(string? id, TokenAlgorithm algorithm)
    {
        List<TokenKey> meant = _keys.FindAll(key => key.IsFor(algorithm) && (id is null || key.Id == id));
        return meant.Count == 1 ? meant[0] : null;
    }
}

/// <summary>One public key. Immutable; each check makes its own object of the platform's.</summary>
internal sealed class TokenKey
{
    /// <summary>Shorter RSA keys are not taken (RFC 7518 section 3.3).</summary>
    public const int RsaBitsMin = 2048;

    private const int RsaBitsMax = 16_384;

    private readonly RSAParameters? _rsa;
    private readonly ECParameters? _curve;
    private readonly string? _algorithm;

    private TokenKey(string? id, string? algorithm, RSAParameters? rsa, ECParameters? curve) =>
        (Id, _algorithm, _rsa, _curve) = (id, algorithm, rsa, curve);

    public string? Id { get; }

    /// <summary>The key, or null when it is none for signatures that are known here. Throws what a damaged one gives.
    /// </summary>
    public static TokenKey? TryRead(JsonElement key)
    {
        if (key.ValueKind != JsonValueKind.Object || Text(key, "use") is not (null or "sig"))
        {
            return null;
        }

        try
        {
            RSAParameters? rsa = Text(key, "kty") == "RSA" ? Rsa(key) : null;
            ECParameters? curve = Text(key, "kty") == "EC" ? Curve(key) : null;
            return rsa is null && curve is null ? null : new TokenKey(Text(key, "kid"), Text(key, "alg"), rsa, curve);
        }
        catch (FormatException)
        {
            // One damaged key of a set does not stop the others.
            return null;
        }
    }

    /// <summary>Whether the key is for the algorithm: of its kind and, if it says so itself, for no other.</summary>
    public bool IsFor(TokenAlgorithm algorithm) =>
        (_algorithm is null || _algorithm == algorithm.Name)
        && (algorithm.Curve is null ? _rsa is not null : _curve?.Curve.Oid.Value == algorithm.Curve.Value.Oid.Value);

    /// <summary>Whether the signature over the data was made with the private half of this key.</summary>
    public bool IsSigned(TokenAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        try
        {
            if (_rsa is { } parameters)
            {
                using var rsa = RSA.Create(parameters);
                return rsa.VerifyData(data, signature, algorithm.Hash, algorithm.Padding!);
            }

            using var curve = ECDsa.Create(_curve!.Value);
            const DSASignatureFormat TwoNumbers = DSASignatureFormat.IeeeP1363FixedFieldConcatenation;
            return curve.VerifyData(data, signature, algorithm.Hash, TwoNumbers);
        }
        catch (CryptographicException)
        {
            // A key that the platform does not take proves nothing.
            return false;
        }
    }

    private static RSAParameters? Rsa(JsonElement key)
    {
        byte[] modulus = Bytes(key, "n");
        byte[] exponent = Bytes(key, "e");
        bool good = modulus.Length * 8 is >= RsaBitsMin and <= RsaBitsMax && exponent.Length is > 0 and <= 8;
        return good ? new RSAParameters { Modulus = modulus, Exponent = exponent } : null;
    }

    private static ECParameters? Curve(JsonElement key)
    {
        TokenAlgorithm? algorithm = TokenAlgorithm.OfCurve(Text(key, "crv"));
        return algorithm is null ? null : new ECParameters
        {
            Curve = algorithm.Curve!.Value,
            Q = new ECPoint { X = Bytes(key, "x"), Y = Bytes(key, "y") },
        };
    }

    private static byte[] Bytes(JsonElement key, string name) =>
        System.Buffers.Text.Base64Url.DecodeFromChars(Text(key, name) ?? throw new FormatException($"no {name}"));

    private static string? Text(JsonElement key, string name) =>
        key.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}

/// <summary>The signatures that are taken (RFC 7518 section 3.1): those with a public key, no other and never none.
/// </summary>
internal sealed record TokenAlgorithm(
    string Name, HashAlgorithmName Hash, RSASignaturePadding? Padding, ECCurve? Curve, string? CurveName)
{
    private static readonly TokenAlgorithm[] All =
    [
        new("RS256", HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, null, null),
        new("RS384", HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1, null, null),
        new("RS512", HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1, null, null),
        new("PS256", HashAlgorithmName.SHA256, RSASignaturePadding.Pss, null, null),
        new("PS384", HashAlgorithmName.SHA384, RSASignaturePadding.Pss, null, null),
        new("PS512", HashAlgorithmName.SHA512, RSASignaturePadding.Pss, null, null),
        new("ES256", HashAlgorithmName.SHA256, null, ECCurve.NamedCurves.nistP256, "P-256"),
        new("ES384", HashAlgorithmName.SHA384, null, ECCurve.NamedCurves.nistP384, "P-384"),
        new("ES512", HashAlgorithmName.SHA512, null, ECCurve.NamedCurves.nistP521, "P-521"),
    ];

    /// <summary>By the name in a token's header; null: not taken.</summary>
    public static TokenAlgorithm? Find(string? name) => Array.Find(All, algorithm => algorithm.Name == name);

    /// <summary>By the name of a curve in a key.</summary>
    public static TokenAlgorithm? OfCurve(string? name) =>
        name is null ? null : Array.Find(All, algorithm => algorithm.CurveName == name);
}
