using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>A client that says exactly what a test wants: any message in any version, or any bytes.</summary>
internal sealed class KafkaPeer(PipeReader input, PipeWriter output, Task running, CancellationTokenSource gone)
    : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private int _correlation;
    private bool _isDisposed;

    /// <summary>Blocks of memory that the server's end of the input holds.</summary>
    public required Func<int> BlocksHeld { get; init; }

    /// <summary>Sends a request and takes its answer.</summary>
    public async Task<TResponse> AskAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : IKafkaMessage<TRequest>
        where TResponse : IKafkaMessage<TResponse>
    {
        int correlation = await SendAsync(request, version);
        return await TakeAsync<TResponse>(version, correlation);
    }

    /// <summary>Logs in, once more if need be, with PLAIN.</summary>
    public async Task<SaslAuthenticateResponse> LogInAsync(string user, string password = "secret")
    {
        SaslHandshakeResponse offered = await AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(
            new() { Mechanism = "PLAIN" }, 1);
        Assert.Equal(0, offered.ErrorCode);
        return await AskAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(
            new() { AuthBytes = Encoding.UTF8.GetBytes($"\0{user}\0{password}") }, 2);
    }

    /// <summary>Sends a request; returns its correlation id.</summary>
    public async Task<int> SendAsync<TRequest>(TRequest request, short version)
        where TRequest : IKafkaMessage<TRequest>
    {
        using var writer = new KafkaWriter();
        int correlation = ++_correlation;
        new RequestHeader(TRequest.Key, version, correlation, "test").Write(writer, version >= TRequest.FlexibleFrom);
        request.Write(writer, version);
        using var body = new MemoryStream();
        int from = 0;
        foreach (RecordHole hole in writer.Holes)
        {
            body.Write(writer.Written.Span[from..hole.Position]);
            body.Write(hole.Records.Memory.Span);
            from = hole.Position;
        }

        body.Write(writer.Written.Span[from..]);
        await SendFrameAsync(body.ToArray());
        return correlation;
    }

    public async Task SendFrameAsync(byte[] frame)
    {
        byte[] size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, frame.Length);
        await output.WriteAsync(size);
        await output.WriteAsync(frame);
    }

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => await output.WriteAsync(bytes);

    /// <summary>Comes back when the server's end of the input holds no memory.</summary>
    public async Task WaitForNoBlocksAsync()
    {
        using var cancellation = new CancellationTokenSource(Timeout);
        while (BlocksHeld() > 0)
        {
            await Task.Delay(1, cancellation.Token);
        }
    }

    /// <summary>Takes the next answer, which must be the one to this request.</summary>
    public async Task<TResponse> TakeAsync<TResponse>(short version, int correlation)
        where TResponse : IKafkaMessage<TResponse>
    {
        byte[] frame = await TakeFrameAsync() ?? throw new EndOfStreamException("the connection ended");
        return Read<TResponse>(frame, version, correlation);
    }

    /// <summary>The next frame; null when the connection has ended.</summary>
    public async Task<byte[]?> TakeFrameAsync()
    {
        using var cancellation = new CancellationTokenSource(Timeout);
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancellation.Token);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (buffer.Length >= 4)
            {
                byte[] size = buffer.Slice(0, 4).ToArray();
                int length = BinaryPrimitives.ReadInt32BigEndian(size);
                if (buffer.Length >= length + 4)
                {
                    byte[] frame = buffer.Slice(4, length).ToArray();
                    input.AdvanceTo(buffer.GetPosition(length + 4));
                    return frame;
                }
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    /// <summary>Whether the server has written something that was not taken yet.</summary>
    public bool HasInput()
    {
        bool isThere = input.TryRead(out ReadResult result);
        if (isThere)
        {
            input.AdvanceTo(result.Buffer.Start);
        }

        return isThere;
    }

    /// <summary>The server has ended the connection without another word.</summary>
    public async Task AssertEndedAsync()
    {
        Assert.Null(await TakeFrameAsync());
        await running.WaitAsync(Timeout);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await output.CompleteAsync();
        await gone.CancelAsync();
        gone.Dispose();
        await running.WaitAsync(Timeout);
    }

    private static TResponse Read<TResponse>(byte[] frame, short version, int correlation)
        where TResponse : IKafkaMessage<TResponse>
    {
        var reader = new KafkaReader(frame);
        Assert.Equal(correlation, reader.ReadInt32());
        if (version >= TResponse.FlexibleFrom && TResponse.Key != ApiKey.ApiVersions)
        {
            reader.SkipTags();
        }

        TResponse response = TResponse.Read(ref reader, version);
        reader.End();
        return response;
    }
}
