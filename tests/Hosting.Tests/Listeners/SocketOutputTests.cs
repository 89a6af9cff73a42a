using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Transport;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>What goes to a socket without a copy comes in its place among what was written.</summary>
public sealed class SocketOutputTests : IDisposable
{
    private const int SmallBufferBytes = 4096;

    private readonly SocketBlockPool _pool = new();
    private readonly Pipe _kestrel = new();
    private readonly Socket _here;
    private readonly Socket _peer;
    private readonly SocketOutput _output;

    public SocketOutputTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveBufferSize = SmallBufferBytes,
        };
        _peer.Connect(listener.LocalEndPoint!);
        _here = listener.Accept();
        _here.SendBufferSize = SmallBufferBytes;
        _output = new SocketOutput(_here, _kestrel.Writer, _pool);
    }

    public void Dispose()
    {
        _here.Dispose();
        _peer.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public async Task Bytes_come_in_order_whichever_way_they_go()
    {
        byte[] content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
            using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.Asynchronous);
            Task<byte[]> read = ReadAllAsync();
            for (int round = 0; round < 2; round++)
            {
                _output.Write(content.AsSpan(0, 10));
                await _output.SendAsync(content.AsMemory(10, 1_000_000));
                await _output.SendAsync(content.AsMemory(1_000_010, 7));
                _output.Write(content.AsSpan(1_000_017, 200_000));
                await _output.SendFileAsync(file, 1_200_017, 1_500_000);
                _output.Write(content.AsSpan(2_700_017));
                Assert.False((await _output.FlushAsync(TestContext.Current.CancellationToken)).IsCompleted);
            }

            await _output.CompleteAsync();
            _here.Shutdown(SocketShutdown.Send);
            byte[] came = await read;
            Assert.Equal(content.Length * 2, came.Length);
            Assert.True(came.AsSpan(0, content.Length).SequenceEqual(content));
            Assert.True(came.AsSpan(content.Length).SequenceEqual(content));
            Assert.Equal(0, _pool.InUse);
            Assert.True((await _kestrel.Reader.ReadAsync(TestContext.Current.CancellationToken)).IsCompleted);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_peer_that_goes_ends_what_is_under_way(int way)
    {
        byte[] content = new byte[10_000_000];
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, content, TestContext.Current.CancellationToken);
            using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.Asynchronous);
            _output.Write(content.AsSpan(0, way == 0 ? content.Length : 10));
            Task<bool> sending = SendAsync(way, content, file);
            Assert.False(sending.IsCompleted);
            _peer.Close(0);
            Assert.True(await sending);
            Assert.True((await _output.FlushAsync(TestContext.Current.CancellationToken)).IsCompleted);
            await _output.CompleteAsync();
            Assert.Equal(0, _pool.InUse);
        }
        finally
        {
            File.Delete(path);
        }
    }

    // True: it said that the peer is gone.
    private async Task<bool> SendAsync(int way, byte[] content, SafeFileHandle file)
    {
        if (way == 0)
        {
            return (await _output.FlushAsync()).IsCompleted;
        }

        Task sending = way == 1
            ? _output.SendAsync(content).AsTask()
            : _output.SendFileAsync(file, 0, content.Length).AsTask();
        await Assert.ThrowsAsync<IOException>(() => sending);
        return true;
    }

    private async Task<byte[]> ReadAllAsync()
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[100_000];
        int count;
        while ((count = await _peer.ReceiveAsync(buffer)) > 0)
        {
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }
}
