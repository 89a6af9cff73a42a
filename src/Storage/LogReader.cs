namespace Pillarbox.Storage;

/// <summary>The reading end: from blocks in memory without a lock, or from disk with read-ahead. Any thread.</summary>
internal sealed class LogReader(LogParts parts, ILogBackend backend)
{
    private const int RandomReadBytes = 16 << 10;
    private const int NearBytes = 64 << 10;

    /// <summary>Reads a record that is in memory, whole and right.</summary>
    public bool TryRead(long position, out LogLease lease)
    {
        LogBlock? block = parts.Cache.Hold(position);
        if (block is null)
        {
            lease = default;
            return false;
        }

        if (TryLease(block, position, out lease))
        {
            return true;
        }

        block.Release();
        return false;
    }

    /// <summary>Reads a record from memory or disk.</summary>
    public ValueTask<LogLease> ReadAsync(long position, CancellationToken cancellation) =>
        TryRead(position, out LogLease lease) ? ValueTask.FromResult(lease) : LoadAsync(position, cancellation);

    /// <summary>What the disk has, unverified, from one segment to the next; less where it has nothing.</summary>
    public byte[] ReadRaw(long position, int bytes)
    {
        byte[] raw = new byte[bytes];
        int read = 0;
        while (read < bytes && parts.Segments.Find(position + read) is { File: { } file } segment)
        {
            long at = position + read;
            int wanted = (int)Math.Min(bytes - read, segment.End - at);
            int got = TryReadRaw(file, segment.OffsetOf(at), raw.AsSpan(read, wanted));
            read += got;
            if (got < wanted)
            {
                break;
            }
        }

        return read == bytes ? raw : raw[..read];
    }

    private static int TryReadRaw(IFile file, long offset, Span<byte> buffer)
    {
        try
        {
            return file.Read(offset, buffer);
        }
        catch (Exception error) when (error is StorageException or ObjectDisposedException)
        {
            return 0;
        }
    }

    private static bool TryLease(LogBlock block, long position, out LogLease lease)
    {
        int offset = (int)(position - block.Start);
        ReadOnlySpan<byte> bytes = block.Data.AsSpan(offset, block.Used - offset);
        if (!RecordFormat.TryReadHeader(bytes, position, out RecordHeader header)
            || header.RecordBytes > bytes.Length
            || header.Type > RecordFormat.TypeMax
            || (block.IsFromDisk
                && !RecordFormat.Verify(header, bytes[RecordFormat.HeaderBytes..header.RecordBytes], position)))
        {
            lease = default;
            return false;
        }

        lease = new LogLease(block, offset + RecordFormat.HeaderBytes, header.Length, header.Type, position);
        return true;
    }

    private async ValueTask<LogLease> LoadAsync(long position, CancellationToken cancellation)
    {
        LogSegment segment = parts.Segments.Find(position)
            ?? throw new DamagedRecordException(position, "no segment holds it");
        if (segment.File is not { } file)
        {
            // Not written yet, so it was in memory when we looked, or it is no record.
            return TryRead(position, out LogLease late)
                ? late
                : throw new DamagedRecordException(position, "no record begins there");
        }

        int size = parts.Cache.IsReadInOrder(position, NearBytes) ? parts.Options.ReadAheadBytes : RandomReadBytes;
        long limit = Math.Min(segment.End, backend.Written);
        LogBlock block = await ReadBlockAsync(segment, file, position, size, limit, cancellation)
            .ConfigureAwait(false);
        int needed = BytesNeeded(block, position, limit);
        if (needed > block.Used)
        {
            block.Release();
            block = await ReadBlockAsync(segment, file, position, needed, limit, cancellation).ConfigureAwait(false);
        }

        return Admit(block, position);
    }

    private LogLease Admit(LogBlock block, long position)
    {
        if (!TryLease(block, position, out LogLease lease))
        {
            block.Release();
            throw new DamagedRecordException(position, "its checksum is wrong, or no record begins there");
        }

        // One hold is the caller's, one the cache's.
        Model.Invariant.That(block.TryHold());
        parts.Cache.AddRead(block);
        return lease;
    }

    private static int BytesNeeded(LogBlock block, long position, long limit)
    {
        if (block.Used < RecordFormat.HeaderBytes
            || !RecordFormat.TryReadHeader(block.Data, position, out RecordHeader header)
            || position + header.RecordBytes > limit)
        {
            return 0;
        }

        return header.RecordBytes;
    }

    private async ValueTask<LogBlock> ReadBlockAsync(
        LogSegment segment, IFile file, long position, int size, long limit, CancellationToken cancellation)
    {
        byte[] data = parts.Pool.Rent(size);
        int count = (int)Math.Clamp(limit - position, 0, size);
        try
        {
            int read = await file.ReadAsync(segment.OffsetOf(position), data.AsMemory(0, count), cancellation)
                .ConfigureAwait(false);
            var block = new LogBlock(data, position, segment, parts.Pool) { IsFromDisk = true };
            block.Publish(read);
            return block;
        }
        catch (Exception error) when (error is StorageException or ObjectDisposedException)
        {
            // Disposed: the segment was reclaimed meanwhile, so nobody refers to the record.
            parts.Pool.Return(data);
            throw new DamagedRecordException(position, error.Message);
        }
    }
}
