namespace Pillarbox.Storage.Quarantine;

/// <summary>Where damaged bytes come from, as far as it is known. Immutable.</summary>
public sealed record QuarantineOrigin
{
    /// <summary>What was damaged: <c>journal</c>, <c>spill</c>, <c>large</c>, <c>snapshot</c>, <c>stream</c> or
    /// <c>checkpoint</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The file, below the data directory.</summary>
    public required string File { get; init; }

    /// <summary>Where in it the bytes began: of the journal a log position, else an offset in the file.</summary>
    public long Position { get; init; }

    /// <summary>What is wrong, in words.</summary>
    public required string Reason { get; init; }

    /// <summary>The address space; null: not known, or all.</summary>
    public string? Space { get; init; }

    /// <summary>The address that the message was sent to; null: not known.</summary>
    public string? Address { get; init; }

    /// <summary>The queue that the message was taken out of; null: none, or not known.</summary>
    public string? Queue { get; init; }

    /// <summary>The message's id there; 0: not known.</summary>
    public long MessageId { get; init; }

    /// <summary>The stream; null: none, or not known.</summary>
    public string? Stream { get; init; }

    /// <summary>The stream's partition; -1: none.</summary>
    public int Partition { get; init; } = -1;
}

/// <summary>One stretch of damaged bytes that is kept. Immutable.</summary>
/// <param name="Id">Its number, above 0; later ones are higher.</param>
/// <param name="AtMs">When it was found, in milliseconds since the Unix epoch.</param>
/// <param name="Bytes">Bytes that are kept.</param>
/// <param name="Origin">Where they come from.</param>
public sealed record QuarantineEntry(long Id, long AtMs, long Bytes, QuarantineOrigin Origin)
{
    /// <summary>Whether the bytes are a file that was moved here whole.</summary>
    public bool IsWholeFile { get; init; }

    /// <summary>CRC32C of copied bytes, from the moment when they were copied; 0: not known.</summary>
    public uint Crc { get; init; }
}

/// <summary>How much of what is damaged is kept. Beyond, the oldest entries go first.</summary>
public sealed record QuarantineLimits
{
    /// <summary>Most bytes of all entries together; the newest entry is kept even when it alone is larger. Default
    /// 1 GiB.</summary>
    public long BytesMax { get; init; } = 1L << 30;

    /// <summary>Most entries. Default 10,000.</summary>
    public int EntriesMax { get; init; } = 10_000;

    /// <summary>Most bytes of one entry that is copied; what is behind is left out. A file that is moved is kept whole.
    /// Default 64 MiB.</summary>
    public int CopiedBytesMax { get; init; } = 64 << 20;
}
