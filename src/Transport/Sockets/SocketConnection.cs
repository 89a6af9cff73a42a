#pragma warning disable RS0030 // the network seam: connections that came in
using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Pillarbox.Transport.Sockets;

/// <summary>
/// A connection that came in, between its socket and the pipes of its application: input by <see cref="SocketIntake"/>,
/// output as soon as the application has flushed it, on the application's thread as long as the socket takes it. The
/// peer may finish its side and go on to read; so may the application.
/// </summary>
internal sealed class SocketConnection : ConnectionContext, IConnectionIdFeature, IConnectionTransportFeature,
    IConnectionItemsFeature, IConnectionLifetimeFeature, IConnectionEndPointFeature, IConnectionSocketFeature,
    IMemoryPoolFeature, IPooledConnectionFeature
{
    private const int ResetByPeer = 104; // ECONNRESET
    private const long InputPauseBytes = 1 << 20;
    private const long OutputPauseBytes = 64 << 10;

    private static long _lastNumber;

    private readonly Socket _socket;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly SocketIntake _intake;
    private readonly SocketFeatures _features;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _inputOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private Task _sending = Task.CompletedTask;
    private List<ArraySegment<byte>>? _gathered;
    private string? _id;
    private Exception? _reason;
    private bool _isClosed;

    public SocketConnection(Socket socket, MemoryPool<byte> pool)
    {
        _socket = socket;
        MemoryPool = pool;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        _input = new Pipe(Options(pool, InputPauseBytes));
        _output = new Pipe(Options(pool, OutputPauseBytes));
        Transport = new DuplexPipe(_input.Reader, _output.Writer);
        _intake = new SocketIntake(socket.SafeHandle, _input.Writer, OnInputOver);
        _features = new SocketFeatures(this);
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _id ??= $"S{Interlocked.Increment(ref _lastNumber):X}";
        set => _id = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _features;

    /// <inheritdoc cref="IConnectionItemsFeature.Items"/>
    public override IDictionary<object, object?> Items
    {
        get => field ??= new Dictionary<object, object?>();
        set;
    }

    /// <inheritdoc cref="IConnectionTransportFeature.Transport"/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc cref="IConnectionEndPointFeature.LocalEndPoint"/>
    public override EndPoint? LocalEndPoint { get; set; }

    /// <inheritdoc cref="IConnectionEndPointFeature.RemoteEndPoint"/>
    public override EndPoint? RemoteEndPoint { get; set; }

    /// <inheritdoc cref="IConnectionLifetimeFeature.ConnectionClosed"/>
    public override CancellationToken ConnectionClosed { get; set; }

    /// <inheritdoc/>
    public MemoryPool<byte> MemoryPool { get; }

    /// <inheritdoc/>
    public Socket Socket => _socket;

    /// <summary>Begins to receive and to send. Once.</summary>
    /// <exception cref="IOException">The system refused to watch the socket.</exception>
    public void Start()
    {
        _intake.Start();
        _sending = SendAsync();
    }

    /// <inheritdoc/>
    public void UsePool() => _intake.UsePool();

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        Close(abortReason);
        _output.Reader.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override void Abort() => Abort(new ConnectionAbortedException("the connection was aborted"));

    /// <summary>The application has returned: what it has written goes out, then the connection is over.</summary>
    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        await _sending;
        await _inputOver.Task;
        _closed.Dispose();
        await base.DisposeAsync();
    }

    private static PipeOptions Options(MemoryPool<byte> pool, long pauseBytes) => new(
        pool, PipeScheduler.Inline, PipeScheduler.Inline, pauseBytes, pauseBytes / 2, useSynchronizationContext: false);

    private async Task SendAsync()
    {
        Exception? reason = null;
        try
        {
            while (true)
            {
                ReadResult written = await _output.Reader.ReadAsync();
                if (written.IsCanceled)
                {
                    break;
                }

                if (written.Buffer.IsSingleSegment)
                {
                    await _socket.SendAsync(written.Buffer.First, SocketFlags.None);
                }
                else
                {
                    await _socket.SendAsync(Gather(written.Buffer), SocketFlags.None);
                }

                _output.Reader.AdvanceTo(written.Buffer.End);
                if (written.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (SocketException e)
        {
            reason = Reset(e);
        }
        catch (ObjectDisposedException)
        {
            // Closed here meanwhile, which has its own reason.
        }
        finally
        {
            Close(reason);
            await _output.Reader.CompleteAsync();
            _input.Writer.CancelPendingFlush();
        }
    }

    private List<ArraySegment<byte>> Gather(in ReadOnlySequence<byte> written)
    {
        _gathered ??= [];
        _gathered.Clear();
        foreach (ReadOnlyMemory<byte> bytes in written)
        {
            // The pool's blocks are arrays.
            MemoryMarshal.TryGetArray(bytes, out ArraySegment<byte> segment);
            _gathered.Add(segment);
        }

        return _gathered;
    }

    // With the turn of the intake.
    private void OnInputOver(IntakeEnd end, int error)
    {
        Exception? reason = end == IntakeEnd.PeerFinished ? null : Reason() ?? FaultOf(end, error);
        // A cut connection tells the application at once, whatever it does now; what it does then is its own.
        _input.Writer.Complete(reason);
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.TellClosed(), this, preferLocal: false);
    }

    private void TellClosed()
    {
        try
        {
            _closed.Cancel();
        }
        finally
        {
            _inputOver.TrySetResult();
        }
    }

    /// <summary>Null: both sides have finished in peace.</summary>
    private void Close(Exception? reason)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            _reason = reason;
            if (reason is not null)
            {
                // The peer hears that this was no end in peace.
                _socket.Close(timeout: 0);
            }
            else
            {
                Finish();
            }
        }

        _intake.End();
    }

    private void Finish()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The peer has gone before.
        }

        _socket.Dispose();
    }

    private Exception? Reason()
    {
        lock (_gate)
        {
            return _reason;
        }
    }

    private static Exception FaultOf(IntakeEnd end, int error) =>
        end == IntakeEnd.Closed ? new ConnectionAbortedException("the connection was closed")
        : error == ResetByPeer ? Reset(new SocketException((int)SocketError.ConnectionReset))
        : new IOException(Marshal.GetPInvokeErrorMessage(error));

    private static ConnectionResetException Reset(SocketException error) => new(error.Message, error);
}
