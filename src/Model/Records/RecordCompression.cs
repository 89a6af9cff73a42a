namespace Pillarbox.Model.Records;

/// <summary>How the records of a batch are compressed. Written to disk, so values never change.</summary>
public enum RecordCompression : byte
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>gzip (RFC 1952).</summary>
    Gzip = 1,

    /// <summary>Snappy in the block framing of xerial's SnappyOutputStream.</summary>
    Snappy = 2,

    /// <summary>The LZ4 frame format.</summary>
    Lz4 = 3,

    /// <summary>Zstandard (RFC 8878).</summary>
    Zstd = 4,
}

/// <summary>What is wrong with the bytes of a batch.</summary>
public enum RecordBatchFault : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>A length that no batch has.</summary>
    BadLength,

    /// <summary>Not format 2.</summary>
    BadMagic,

    /// <summary>The checksum is not that of the bytes.</summary>
    BadCrc,

    /// <summary>The number of records, or an offset, contradicts another field.</summary>
    BadCount,

    /// <summary>A field with a value that is not allowed.</summary>
    BadField,
}
