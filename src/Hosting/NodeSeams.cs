using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Hosting;

/// <summary>The seams that a node stands on. Immutable; the defaults are the machine's own.</summary>
public sealed record NodeSeams
{
    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Randomness.</summary>
    public IRandom Random { get; init; } = SystemRandom.Instance;

    /// <summary>The disk; null: what the data directory says.</summary>
    public IFileSystem? FileSystem { get; init; }

    /// <summary>What of the router's log is written, when that can be changed while the node runs; null: it
    /// cannot.</summary>
    public ILogRules? LogRules { get; init; }

    /// <summary>Where logs go.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}
