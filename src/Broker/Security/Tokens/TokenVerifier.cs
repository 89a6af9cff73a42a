using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Tokens;

/// <summary>What became of a token: an identity, and until when it is good; or why not, for the node's own log.
/// </summary>
public readonly record struct TokenVerdict(Identity? Identity, long ExpiresAtMs, string? Fault);

/// <summary>
/// Checks JSON Web Tokens (RFC 7519) that are signed (RFC 7515, compact form):
/// <code>
/// BASE64URL(header) . BASE64URL(claims) . BASE64URL(signature)
/// header: alg (a public-key algorithm), kid; crit is refused
/// claims: iss, aud, exp are needed; nbf is kept; the name's claim is needed
/// </code>
/// Any thread.
/// </summary>
public sealed class TokenVerifier : IDisposable
{
    /// <summary>The longest token, in characters.</summary>
    public const int CharsMax = 16 << 10;

    private readonly TokenOptions _options;
    private readonly TokenKeySource _keys;

    /// <summary>A verifier for one issuer.</summary>
    public TokenVerifier(TokenOptions options)
    {
        _options = options;
        _keys = new TokenKeySource(options);
    }

    private long NowMs => _options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Checks a token. May wait for the issuer's keys; never throws for what is in the token.</summary>
    public async ValueTask<TokenVerdict> VerifyAsync(string token, CancellationToken cancellation)
    {
        string[] parts = token.Length > CharsMax ? [] : token.Split('.');
        if (parts.Length != 3)
        {
            return Refuse("the token is not a signed JSON web token");
        }

        try
        {
            using JsonDocument header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0]));
            if (await CheckSignatureAsync(header.RootElement, parts, cancellation).ConfigureAwait(false) is { } fault)
            {
                return Refuse(fault);
            }

            using JsonDocument claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            return CheckClaims(claims.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return Refuse("the token is damaged");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();

    private static TokenVerdict Refuse(string fault) => new(null, 0, fault);

    private async ValueTask<string?> CheckSignatureAsync(
        JsonElement header, string[] parts, CancellationToken cancellation)
    {
        string? name = Text(header, "alg");
        if (TokenAlgorithm.Find(name) is not { } algorithm)
        {
            return $"tokens with the algorithm {name ?? "(none)"} are not taken";
        }

        if (header.TryGetProperty("crit"u8, out _))
        {
            return "the token has a critical extension";
        }

        (TokenKey? key, string? fault) =
            await _keys.FindAsync(Text(header, "kid"), algorithm, cancellation).ConfigureAwait(false);
        if (key is null)
        {
            return fault;
        }

        byte[] signed = Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}");
        return key.IsSigned(algorithm, signed, Base64Url.DecodeFromChars(parts[2]))
            ? null
            : "the token's signature is not the issuer's";
    }

    private TokenVerdict CheckClaims(JsonElement claims)
    {
        long? expiresMs = Seconds(claims, "exp") * 1000;
        long notBeforeMs = Seconds(claims, "nbf") * 1000 ?? 0;
        string? name = TextAt(claims, _options.NameClaim);
        string? fault = Text(claims, "iss") != _options.Issuer ? "the token is another issuer's"
            : !Words(claims, "aud", split: false).Any(_options.Audiences.Contains) ? "the token is not for this node"
            : expiresMs is null ? "the token never expires"
            : NowMs >= expiresMs + _options.ClockSkewMs ? "the token has expired"
            : NowMs < notBeforeMs - _options.ClockSkewMs ? "the token is not yet good"
            : name is null ? $"the token has no claim {_options.NameClaim}"
            : UserStore.CheckName(name);
        if (fault is not null)
        {
            return Refuse(fault);
        }

        IEnumerable<string> roles = _options.RolesClaim is { } claim
            ? _options.Roles.Concat(Words(claims, claim, split: true))
            : _options.Roles;
        var identity = new Identity(name!, [.. roles.Distinct()], IsAnonymous: false)
        {
            AddressSpace = _options.AddressSpace,
        };
        return new TokenVerdict(identity, expiresMs!.Value, null);
    }

    // A NumericDate may have a fraction; one beyond all times is as good as the last of them.
    private static long? Seconds(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out double seconds)
            ? (long)Math.Clamp(seconds, 0, 1e12)
            : null;

    private static string? Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static string? TextAt(JsonElement claims, string path) =>
        Find(claims, path) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static List<string> Words(JsonElement claims, string path, bool split)
    {
        var words = new List<string>();
        JsonElement found = Find(claims, path) ?? default;
        if (found.ValueKind == JsonValueKind.String)
        {
            string text = found.GetString()!;
            words.AddRange(split ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [text]);
        }
        else if (found.ValueKind == JsonValueKind.Array)
        {
            words.AddRange(found.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String)
                .Select(item => item.GetString()!));
        }

        return words;
    }

    // A claim whose own name has dots (a URL, often) counts before a way into objects.
    private static JsonElement? Find(JsonElement claims, string path)
    {
        if (claims.TryGetProperty(path, out JsonElement whole))
        {
            return whole;
        }

        JsonElement at = claims;
        foreach (string step in path.Split('.'))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(step, out at))
            {
                return null;
            }
        }

        return at;
    }
}
