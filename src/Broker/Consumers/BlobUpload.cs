using System.Buffers;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Consumers;

/// <summary>
/// Writes the pieces of one large body into its file, in order, on a thread of the pool: neither a slow disk nor a sync
/// holds the connection up. What waits is bounded by whoever adds, who asks <see cref="IsBehind"/>. One owner adds.
/// </summary>
internal sealed class BlobUpload(BlobStore blobs, bool ownThreads) : IThreadPoolWorkItem
{
    private const int PieceBytes = 64 << 10;
    private const int WaitingBytesMax = 2 << 20;

    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Buffer, int Length)> _pieces = new();
    private BlobWriter? _blob;
    private TaskCompletionSource? _ready;
    private StorageException? _fault;
    private long _waitingBytes;
    private bool _isRunning;
    private bool _isLast;
    private bool _isDone;
    private bool _isAborted;

    /// <summary>The file's id, once <see cref="IsDone"/> without a fault.</summary>
    public long Id { get; private set; }

    /// <summary>Why the disk did not take it.</summary>
    public StorageException? Fault
    {
        get
        {
            lock (_gate)
            {
                return _fault;
            }
        }
    }

    /// <summary>The file is whole and on disk, or there was a fault.</summary>
    public bool IsDone
    {
        get
        {
            lock (_gate)
            {
                return _isDone;
            }
        }
    }

    private bool IsBehind => _isLast ? !_isDone : _waitingBytes > WaitingBytesMax;

    /// <summary>Adds a piece, copied. False: no more before <see cref="ReadyAsync"/>.</summary>
    public bool Add(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
            int length = Math.Min(piece.Length, buffer.Length);
            piece[..length].CopyTo(buffer);
            piece = piece[length..];
            lock (_gate)
            {
                _pieces.Enqueue((buffer, length));
                _waitingBytes += length;
            }
        }

        return Start();
    }

    /// <summary>No more pieces. False: it is on disk when <see cref="ReadyAsync"/> completes.</summary>
    public bool Finish()
    {
        lock (_gate)
        {
            _isLast = true;
        }

        return Start();
    }

    /// <summary>Forgets it: the file goes when nobody writes to it any more.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            _isAborted = true;
        }

        Start();
    }

    /// <summary>Completes when more pieces may come, or after <see cref="Finish"/> when it is done.</summary>
    public Task ReadyAsync()
    {
        lock (_gate)
        {
            if (!IsBehind)
            {
                return Task.CompletedTask;
            }

            _ready ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _ready.Task;
        }
    }

    /// <summary>Writes what waits.</summary>
    public void Execute()
    {
        while (Step())
        {
        }
    }

    private bool Start()
    {
        lock (_gate)
        {
            if (_isRunning)
            {
                return !IsBehind;
            }

            _isRunning = true;
            if (ownThreads)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return !IsBehind;
            }
        }

        Execute();
        return true;
    }

    /// <summary>One piece, or the end; false when there is nothing to do.</summary>
    private bool Step()
    {
        (byte[] Buffer, int Length) piece;
        bool isEnd;
        lock (_gate)
        {
            bool isOver = _isDone || _isAborted;
            isEnd = !_pieces.TryDequeue(out piece) && _isLast && !isOver;
            if (piece.Buffer is null && !isEnd)
            {
                _isRunning = false;
                CloseIfAborted();
                return false;
            }

            if (isOver)
            {
                // Dropped: its fault is told already, or nobody wants it.
                Release(piece);
                return true;
            }
        }

        StorageException? fault = isEnd ? TryComplete() : TryWrite(piece);
        lock (_gate)
        {
            _fault = fault;
            _isDone = isEnd || fault is not null;
            if (piece.Buffer is not null)
            {
                Release(piece);
            }
            else
            {
                TellReady();
            }
        }

        return true;
    }

    private void Release((byte[] Buffer, int Length) piece)
    {
        _waitingBytes -= piece.Length;
        ArrayPool<byte>.Shared.Return(piece.Buffer);
        TellReady();
    }

    private void TellReady()
    {
        if (!IsBehind)
        {
            _ready?.SetResult();
            _ready = null;
        }
    }

    private void CloseIfAborted()
    {
        if (_isAborted)
        {
            TryClose();
            TryDelete();
        }
    }

    private StorageException? TryWrite((byte[] Buffer, int Length) piece)
    {
        try
        {
            _blob ??= blobs.Create();
            _blob.Write(piece.Buffer.AsSpan(0, piece.Length));
            return null;
        }
        catch (StorageException e)
        {
            TryClose();
            return e;
        }
    }

    private StorageException? TryComplete()
    {
        try
        {
            _blob ??= blobs.Create();
            _blob.Complete();
            Id = _blob.Id;
            return null;
        }
        catch (StorageException e)
        {
            return e;
        }
        finally
        {
            TryClose();
        }
    }

    private void TryDelete()
    {
        try
        {
            if (Id != 0)
            {
                blobs.Delete(Id);
                Id = 0;
            }
        }
        catch (StorageException)
        {
            // Files that no message refers to are deleted at the next start.
        }
    }

    private void TryClose()
    {
        try
        {
            _blob?.Dispose();
        }
        catch (StorageException)
        {
            // Unfinished files are deleted at the next start.
        }

        _blob = null;
    }
}
