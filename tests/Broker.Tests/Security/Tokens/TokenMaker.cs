using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Pillarbox.Broker.Tests.Security.Tokens;

/// <summary>An issuer of tokens for tests: makes its key, its key set, and whatever token a test wants.</summary>
internal sealed class TokenMaker : IDisposable
{
    public const string Issuer = "https://issuer.example";
    public const string Audience = "pillarbox";

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The public halves, as an issuer publishes them.</summary>
    public string KeySet
    {
        get
        {
            RSAParameters rsa = _rsa.ExportParameters(false);
            ECParameters curve = _curve.ExportParameters(false);
            return new JsonObject
            {
                ["keys"] = new JsonArray(
                    new JsonObject
                    {
                        ["kty"] = "RSA",
                        ["kid"] = "r",
                        ["use"] = "sig",
                        ["n"] = Encode(rsa.Modulus!),
                        ["e"] = Encode(rsa.Exponent!),
                    },
                    new JsonObject
                    {
                        ["kty"] = "EC",
                        ["kid"] = "e",
                        ["crv"] = "P-256",
                        ["x"] = Encode(curve.Q.X!),
                        ["y"] = Encode(curve.Q.Y!),
                    },
                    new JsonObject { ["kty"] = "oct", ["kid"] = "o", ["k"] = "c2VjcmV0" },
                    new JsonObject { ["kty"] = "RSA", ["kid"] = "damaged", ["n"] = "!", ["e"] = "AQAB" }),
            }.ToJsonString();
        }
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _curve.Dispose();
    }

    /// <summary>The claims of a token that is good for an hour.</summary>
    public static JsonObject Claims(string user, DateTimeOffset now) => new()
    {
        ["iss"] = Issuer,
        ["aud"] = Audience,
        ["sub"] = user,
        ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
    };

    /// <summary>A token, signed by the algorithm that its header names.</summary>
    public string Sign(JsonObject claims, string algorithm = "RS256", string? keyId = "r", JsonObject? header = null)
    {
        header ??= [];
        header["alg"] = algorithm;
        if (keyId is not null)
        {
            header["kid"] = keyId;
        }

        string signed = $"{Encode(header)}.{Encode(claims)}";
        byte[] data = Encoding.ASCII.GetBytes(signed);
        byte[] signature = algorithm switch
        {
            "RS256" => _rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            "PS512" => _rsa.SignData(data, HashAlgorithmName.SHA512, RSASignaturePadding.Pss),
            "ES256" => _curve.SignData(data, HashAlgorithmName.SHA256),
            // What an attacker does who has the public key only.
            "HS256" => HMACSHA256.HashData(_rsa.ExportSubjectPublicKeyInfo(), data),
            _ => [],
        };
        return $"{signed}.{Encode(signature)}";
    }

    private static string Encode(JsonObject part) => Encode(JsonSerializer.SerializeToUtf8Bytes(part));

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
