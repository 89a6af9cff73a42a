namespace Pillarbox.Broker.Security.Tokens;

/// <summary>Which tokens log in, and what they say of their holder. Immutable.</summary>
public sealed record TokenOptions
{
    /// <summary>Who issues them: the claim <c>iss</c> must be this.</summary>
    public required string Issuer { get; init; }

    /// <summary>For whom they are: the claim <c>aud</c> must hold one of these.</summary>
    public required IReadOnlyList<string> Audiences { get; init; }

    /// <summary>The claim with the user's name; dots lead into objects.</summary>
    public string NameClaim { get; init; } = "sub";

    /// <summary>The claim with the user's roles, a list or words; dots lead into objects. Null: none are read.
    /// </summary>
    public string? RolesClaim { get; init; }

    /// <summary>Roles of everybody who logs in with a token.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>The one address space of everybody who logs in with a token; null: any.</summary>
    public string? AddressSpace { get; init; }

    /// <summary>By how much the clocks of the issuer and the node may differ, in milliseconds.</summary>
    public int ClockSkewMs { get; init; } = 30_000;

    /// <summary>Gets the issuer's key set, as JSON (RFC 7517); throws <see cref="TokenKeysException"/> when it cannot.
    /// </summary>
    public required Func<CancellationToken, ValueTask<byte[]>> ReadKeys { get; init; }

    /// <summary>How old the key set may be before it is read again, in milliseconds.</summary>
    public int KeysAgeMsMax { get; init; } = 600_000;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>The issuer's keys cannot be had at this time; the message says why.</summary>
public sealed class TokenKeysException(string message, Exception? inner = null) : Exception(message, inner);
