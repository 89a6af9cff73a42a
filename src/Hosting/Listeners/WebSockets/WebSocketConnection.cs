using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using System.Text.Unicode;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Pillarbox.Transport;

namespace Pillarbox.Hosting.Listeners.WebSockets;

/// <summary>
/// A WebSocket as a connection of bytes, for the handlers that serve sockets: where messages begin and end means
/// nothing. Two bounded pipes lie between: who does not read in time is not read from either.
/// </summary>
internal class WebSocketConnection : ConnectionContext
{
    private const int PauseBytes = 64 << 10;
    private const int ReceiveBytes = 16 << 10;
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private readonly WebSocket _socket;
    private readonly bool _takesText;
    private readonly Pipe _in = new(Bounded);
    private readonly Pipe _out = new(Bounded);
    private readonly CancellationTokenSource _closed = new();
    private Task _inwards = Task.CompletedTask;
    private Task _outwards = Task.CompletedTask;

    /// <summary>One that a listener has accepted.</summary>
    public WebSocketConnection(WebSocket socket, HttpContext context, bool takesText)
        : this(socket, new FeatureCollection(context.Features), takesText)
    {
        ConnectionId = context.TraceIdentifier;
        ConnectionInfo peer = context.Connection;
        RemoteEndPoint = peer.RemoteIpAddress is { } remote ? new IPEndPoint(remote, peer.RemotePort) : null;
        LocalEndPoint = peer.LocalIpAddress is { } local ? new IPEndPoint(local, peer.LocalPort) : null;
    }

    /// <summary>One that the node has made.</summary>
    protected WebSocketConnection(WebSocket socket, IFeatureCollection features, bool takesText)
    {
        _socket = socket;
        _takesText = takesText;
        Transport = new DuplexPipe(_in.Reader, _out.Writer);
        Features = features;
        ConnectionClosed = _closed.Token;
    }

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = "";

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; }

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    private static PipeOptions Bounded { get; } =
        new(pauseWriterThreshold: PauseBytes, useSynchronizationContext: false);

    /// <summary>Lets the handler serve it to its end; then what is written goes out and the WebSocket closes.</summary>
    public async Task ServeAsync(ConnectionHandler handler)
    {
        Start();
        try
        {
            await handler.OnConnectedAsync(this);
        }
        finally
        {
            await FinishAsync();
        }
    }

    /// <summary>Bytes begin to flow.</summary>
    protected void Start()
    {
        _inwards = ReceiveAsync();
        _outwards = SendAsync();
    }

    /// <summary>What is written goes out, and the WebSocket closes.</summary>
    protected async Task FinishAsync()
    {
        await _out.Writer.CompleteAsync();
        await _outwards;
        await _in.Reader.CompleteAsync();
        await _closed.CancelAsync();
        await _inwards;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _socket.Abort();

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _closed.Dispose();
        return base.DisposeAsync();
    }

    private async Task ReceiveAsync()
    {
        Exception? fault = null;
        try
        {
            while (await ReceiveSomeAsync())
            {
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            fault = e is OperationCanceledException ? null : new IOException("the WebSocket failed", e);
        }

        await _in.Writer.CompleteAsync(fault);
    }

    private async Task<bool> ReceiveSomeAsync()
    {
        // A silent connection holds no buffer.
        ValueWebSocketReceiveResult waited = await _socket.ReceiveAsync(Memory<byte>.Empty, _closed.Token);
        if (waited.MessageType != WebSocketMessageType.Close && !waited.EndOfMessage)
        {
            Memory<byte> memory = _in.Writer.GetMemory(ReceiveBytes);
            waited = await _socket.ReceiveAsync(memory, _closed.Token);
            if (waited.MessageType != WebSocketMessageType.Close)
            {
                _in.Writer.Advance(waited.Count);
            }
        }

        if (waited.MessageType == WebSocketMessageType.Close)
        {
            return false;
        }

        if (waited.MessageType == WebSocketMessageType.Text && !_takesText)
        {
            // MQTT-6.0.0-1 and the AMQP binding, section 2.2: data is binary, or the connection ends.
            await CloseAsync(WebSocketCloseStatus.InvalidMessageType);
            return false;
        }

        FlushResult flushed = await _in.Writer.FlushAsync();
        return !flushed.IsCompleted;
    }

    private async Task SendAsync()
    {
        try
        {
            while (true)
            {
                ReadResult read = await _out.Reader.ReadAsync();
                if (!read.Buffer.IsEmpty)
                {
                    await SendAsync(read.Buffer);
                }

                _out.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    break;
                }
            }

            await CloseAsync(WebSocketCloseStatus.NormalClosure);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // The peer is gone: the handler sees that its output goes nowhere.
            await _closed.CancelAsync();
        }

        await _out.Reader.CompleteAsync();
    }

    // One message: of text where the protocol has it and the bytes are text.
    private async Task SendAsync(ReadOnlySequence<byte> bytes)
    {
        WebSocketMessageType type = _takesText && IsText(bytes) ? WebSocketMessageType.Text
            : WebSocketMessageType.Binary;
        SequencePosition at = bytes.Start;
        long left = bytes.Length;
        while (bytes.TryGet(ref at, out ReadOnlyMemory<byte> piece))
        {
            left -= piece.Length;
            if (!piece.IsEmpty || left == 0)
            {
                await _socket.SendAsync(piece, type, endOfMessage: left == 0, CancellationToken.None);
            }

            if (left == 0)
            {
                return;
            }
        }
    }

    private static bool IsText(in ReadOnlySequence<byte> bytes) =>
        Utf8.IsValid(bytes.IsSingleSegment ? bytes.FirstSpan : bytes.ToArray());

    private async Task CloseAsync(WebSocketCloseStatus status)
    {
        if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            using var patience = new CancellationTokenSource(ClosePatience);
            await _socket.CloseOutputAsync(status, null, patience.Token);
        }
    }
}
