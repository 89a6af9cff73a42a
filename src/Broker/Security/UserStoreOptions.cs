using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Security;

/// <summary>Where users are kept, and what a password costs. Immutable.</summary>
public sealed record UserStoreOptions
{
    /// <summary>The disk.</summary>
    public required IFileSystem FileSystem { get; init; }

    /// <summary>The file, by convention <c>users.json</c> in the data directory. It need not exist.</summary>
    public required string Path { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Salts and keys.</summary>
    public IRandom Random { get; init; } = SystemRandom.Instance;

    /// <summary>Iterations of PBKDF2-HMAC-SHA512 for new passwords: about 0.1 s. Not below 210,000 outside of
    /// tests.</summary>
    public int PlainIterations { get; init; } = 210_000;

    /// <summary>Iterations of SCRAM for new passwords; each login costs the client that many. At least 4096 (RFC 7677);
    /// some clients refuse more than 65,536.</summary>
    public int ScramIterations { get; init; } = 50_000;

    /// <summary>Passwords checked at the same time; 0: half of the processors, at least one, so that logins cannot
    /// starve messages.</summary>
    public int ChecksAtOnceMax { get; init; }

    /// <summary>Logins that may wait for a check; beyond, the client is told to come back later.</summary>
    public int ChecksWaitingMax { get; init; } = 256;

    /// <summary>How long a password that was right is remembered (as a keyed hash), in milliseconds.</summary>
    public int VerifiedLifetimeMs { get; init; } = 60_000;

    /// <summary>How often, at most, a login looks whether the file was changed by another process, in
    /// milliseconds.</summary>
    public int RefreshIntervalMs { get; init; } = 1000;
}
