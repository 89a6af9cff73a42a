namespace Pillarbox.Storage;

/// <summary>Something on disk cannot be used as asked. The message is one line for the operator and says what to
/// do.</summary>
public class StorageException : Exception
{
    /// <summary>An error without a cause below it.</summary>
    public StorageException(string message)
        : base(message)
    {
    }

    /// <summary>An error with the system's own error below it.</summary>
    public StorageException(string message, Exception? inner)
        : base(message, inner)
    {
    }
}

/// <summary>The disk is full: nothing was appended. Appends marked essential may still work (from the
/// reserve).</summary>
public sealed class StorageFullException(string message, Exception? inner = null) : StorageException(message, inner);

/// <summary>More bytes wait for the disk than the log may hold: nothing was appended. Try again later.</summary>
public sealed class StorageBusyException(string message) : StorageException(message);

/// <summary>What was asked for has been deleted meanwhile.</summary>
public sealed class StorageGoneException(string message) : StorageException(message);

/// <summary>A write or sync failed, so what is on disk is no longer known: the log accepts nothing more until the
/// node is
/// started again, which recovers from what the disk really holds.</summary>
public sealed class StorageFailedException(string message, Exception? inner = null) : StorageException(message, inner);

/// <summary>The bytes at a position are not the record that was written there.</summary>
public sealed class DamagedRecordException(long position, string reason)
    : StorageException($"the record at position {position} cannot be read: {reason}")
{
    /// <summary>Where the record should be.</summary>
    public long Position { get; } = position;

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; } = reason;
}
