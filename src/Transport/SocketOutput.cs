#pragma warning disable RS0030 // the network seam: what goes to a socket without Kestrel's copy
using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Pillarbox.Transport;

/// <summary>
/// The output of a connection without TLS, by its socket: Kestrel's own output is passed by, and only completed at the
/// end. Holds no memory while nothing is written. Each flush waits until the socket has taken everything, so that what
/// it holds is what was written between two flushes. One caller at a time.
/// </summary>
internal sealed class SocketOutput(Socket socket, PipeWriter inner, MemoryPool<byte> pool) : PipeWriter, IDirectOutput
{
    private readonly List<(IMemoryOwner<byte> Owner, int Used)> _full = [];
    private readonly List<ArraySegment<byte>> _gathered = [];
    private IMemoryOwner<byte>? _block;
    private int _used;
    private bool _isOver;
    private FileSending? _files;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _full.Sum(block => block.Used) + _used;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        int least = Math.Max(1, sizeHint);
        if (_block is not null && _block.Memory.Length - _used < least)
        {
            Close();
        }

        _block ??= least <= pool.MaxBufferSize ? pool.Rent(least) : MemoryPool<byte>.Shared.Rent(least);
        return _block.Memory[_used..];
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)((_block?.Memory.Length ?? 0) - _used));
        _used += bytes;
    }

    /// <inheritdoc/>
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        Close();
        try
        {
            foreach ((IMemoryOwner<byte> owner, int used) in _full)
            {
                await socket.SendAsync(owner.Memory[..used], SocketFlags.None, cancellationToken);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _isOver = true;
        }

        Free();
        return new FlushResult(isCanceled: false, isCompleted: _isOver);
    }

    /// <inheritdoc/>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_full.Count == 0 && _block is not null && MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment)
            && MemoryMarshal.TryGetArray(_block.Memory[.._used], out ArraySegment<byte> before))
        {
            _gathered.Clear();
            _gathered.Add(before);
            _gathered.Add(segment);
            try
            {
                await Guard(socket.SendAsync(_gathered, SocketFlags.None));
            }
            finally
            {
                Close();
                Free();
            }

            return;
        }

        await SendWrittenAsync();
        await Guard(socket.SendAsync(bytes, SocketFlags.None).AsTask());
    }

    /// <inheritdoc/>
    public async ValueTask SendFileAsync(SafeFileHandle file, long offset, int count)
    {
        await SendWrittenAsync();
        await Guard((_files ??= new FileSending(socket)).SendAsync(file, offset, count));
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush() =>
        throw new NotSupportedException("a flush ends when the socket has taken everything, or with the connection");

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        Close();
        Free();
        _files?.Dispose();
        _isOver = true;
        inner.Complete(exception);
    }

    private async ValueTask SendWrittenAsync()
    {
        if ((await FlushAsync()).IsCompleted)
        {
            throw new IOException("the peer reads no more");
        }
    }

    private async Task Guard(Task sending)
    {
        try
        {
            await sending;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _isOver = true;
            throw new IOException("the peer reads no more", e);
        }
    }

    private void Close()
    {
        if (_block is not null)
        {
            _full.Add((_block, _used));
            (_block, _used) = (null, 0);
        }
    }

    private void Free()
    {
        foreach ((IMemoryOwner<byte> owner, _) in _full)
        {
            owner.Dispose();
        }

        _full.Clear();
    }

    /// <summary>The system's own copying from a file to the socket.</summary>
    private sealed class FileSending(Socket socket) : IDisposable
    {
        private SocketAsyncEventArgs? _arguments;
        private TaskCompletionSource _done = null!;

        public Task SendAsync(SafeFileHandle file, long offset, int count)
        {
            if (_arguments is null)
            {
                _arguments = new SocketAsyncEventArgs();
                _arguments.Completed += (_, _) => End();
            }

            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            // Only a way to name the handle, which is its owner's to close: the stream is never disposed or finalized.
            var stream = new FileStream(file, FileAccess.Read, bufferSize: 0, file.IsAsync);
            GC.SuppressFinalize(stream);
            _arguments.SendPacketsElements = [new SendPacketsElement(stream, offset, count)];
            if (!socket.SendPacketsAsync(_arguments))
            {
                End();
            }

            return _done.Task;
        }

        public void Dispose() => _arguments?.Dispose();

        private void End()
        {
            if (_arguments!.SocketError == SocketError.Success)
            {
                _done.TrySetResult();
            }
            else
            {
                _done.TrySetException(new SocketException((int)_arguments.SocketError));
            }
        }
    }
}
