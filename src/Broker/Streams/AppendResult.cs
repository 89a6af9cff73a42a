namespace Pillarbox.Broker.Streams;

/// <summary>Who appends.</summary>
public enum AppendOrigin : byte
{
    /// <summary>A client: everything is checked.</summary>
    Client = 0,

    /// <summary>A coordinator of this node: its sequences are not, its control records are allowed.</summary>
    Coordinator = 1,
}

/// <summary>How to append.</summary>
public readonly record struct AppendOptions
{
    /// <summary>A client's append, whatever the epoch.</summary>
    public AppendOptions()
    {
    }

    /// <summary>Who appends.</summary>
    public AppendOrigin Origin { get; init; }

    /// <summary>The leader epoch that the caller believes in; -1 = does not say.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>Whether the producer speaks the second protocol of transactions (its epoch rises with each
    /// one).</summary>
    public bool IsTransactionV2 { get; init; }
}

/// <summary>What became of an append.</summary>
public readonly record struct AppendResult
{
    /// <summary>A result without offsets.</summary>
    public AppendResult()
    {
    }

    /// <summary>Why nothing was appended; <see cref="StreamError.None"/> when it was.</summary>
    public StreamError Error { get; init; }

    /// <summary>Offset of the first record.</summary>
    public long BaseOffset { get; init; } = -1;

    /// <summary>Offset of the last record.</summary>
    public long LastOffset { get; init; } = -1;

    /// <summary>The timestamp that the records got, in milliseconds since the Unix epoch; -1 when they kept
    /// theirs.</summary>
    public long AppendTimeMs { get; init; } = -1;

    /// <summary>The partition's first offset.</summary>
    public long StartOffset { get; init; } = -1;

    /// <summary>True when the very same batch had been appended before: the offsets are those of then.</summary>
    public bool IsDuplicate { get; init; }

    /// <summary>A sentence for the user, with an error.</summary>
    public string? Message { get; init; }

    /// <summary>Which records are wrong, the first few of them; null when it is the batch as a whole.</summary>
    public IReadOnlyList<RecordError>? RecordErrors { get; init; }

    /// <summary>Hand it to <see cref="Partition.WhenDurable"/> before the producer is told.</summary>
    public long DurableAt => LastOffset + 1;

    internal static AppendResult Refused(StreamError error, string message) =>
        new() { Error = error, Message = message };
}

/// <summary>What is wrong with one record of a batch.</summary>
/// <param name="Index">Its number in the batch, from 0.</param>
/// <param name="Message">A sentence for the user.</param>
public readonly record struct RecordError(int Index, string Message);
