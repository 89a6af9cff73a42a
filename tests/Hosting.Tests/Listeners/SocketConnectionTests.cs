using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Transport.Sockets;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>Connections that the threads which wait for sockets work on: every byte comes once and in order, every kind
/// of end is heard on both sides, and none keeps another waiting.</summary>
public sealed class SocketConnectionTests : IAsyncDisposable
{
    private const int Backlog = 100;

    // Blocks in which what a pipe holds at most lies.
    private const int FullBlocks = (1 << 20) / SocketBlockPool.BlockBytes;

    private readonly SocketBlockPool _pool = new();
    private readonly ConcurrentQueue<Task> _serving = new();
    private IConnectionListener _listener = null!;
    private Task _accepting = Task.CompletedTask;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _accepting;
        await Task.WhenAll(_serving);
        Assert.Equal(0, _pool.InUse);
        _pool.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_echo_says_what_was_said_whatever_its_pieces(int seed)
    {
        await ListenAsync(EchoAsync);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => SayAsync(seed * 1000 + i)));
    }

    private async Task SayAsync(int seed)
    {
        var random = new Random(seed);
        byte[] said = new byte[random.Next(1, 3_000_000)];
        random.NextBytes(said);
        using Socket peer = await ConnectAsync();
        Task<byte[]> heard = ReadToEndAsync(peer);
        for (int at = 0; at < said.Length;)
        {
            int most = random.Next(3) == 0 ? 200_000 : 5_000;
            int piece = Math.Min(said.Length - at, random.Next(1, most));
            await SendAllAsync(peer, said.AsMemory(at, piece));
            at += piece;
        }

        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(said, await heard);
    }

    [Fact]
    public async Task What_a_slow_application_has_not_taken_waits_in_the_socket()
    {
        const int Bytes = 20_000_000;
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        long came = 0;
        await ListenAsync(async connection =>
        {
            await go.Task;
            await foreach (ReadOnlySequence<byte> part in PartsOf(connection))
            {
                came += part.Length;
            }
        });
        using Socket peer = await ConnectAsync();
        Task sent = SendAllAsync(peer, new byte[Bytes]);
        // More than the sockets of both sides and the pipe hold cannot go before somebody reads.
        while (_pool.InUse < FullBlocks)
        {
            await Task.Yield();
        }

        Assert.False(sent.IsCompleted);
        go.SetResult();
        await sent;
        peer.Shutdown(SocketShutdown.Send);
        Assert.Empty(await ReadToEndAsync(peer));
        Assert.Equal(Bytes, came);
    }

    [Fact]
    public async Task Who_has_said_all_still_hears_the_answer()
    {
        await ListenAsync(async connection =>
        {
            await foreach (ReadOnlySequence<byte> part in PartsOf(connection))
            {
            }

            Assert.True(connection.ConnectionClosed.CanBeCanceled);
            await connection.Transport.Output.WriteAsync("bye"u8.ToArray());
        });
        using Socket peer = await ConnectAsync();
        await SendAllAsync(peer, "hello"u8.ToArray());
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye"u8.ToArray(), await ReadToEndAsync(peer));
    }

    [Fact]
    public async Task The_application_may_end_while_the_peer_says_nothing()
    {
        await ListenAsync(connection => connection.Transport.Output.WriteAsync("bye"u8.ToArray()).AsTask());
        using Socket peer = await ConnectAsync();
        Assert.Equal("bye"u8.ToArray(), await ReadToEndAsync(peer));
    }

    [Fact]
    public async Task An_abort_is_a_reset_for_the_peer_and_the_end_for_the_application()
    {
        var failure = new TaskCompletionSource<Exception>();
        await ListenAsync(async connection =>
        {
            connection.Transport.Input.AdvanceTo((await connection.Transport.Input.ReadAsync()).Buffer.End);
            connection.Abort(new ConnectionAbortedException("enough"));
            failure.SetResult(await Assert.ThrowsAnyAsync<ConnectionAbortedException>(
                async () => await connection.Transport.Input.ReadAsync()));
            await Closed(connection);
        });
        using Socket peer = await ConnectAsync();
        await SendAllAsync(peer, "hello"u8.ToArray());
        SocketException error = await Assert.ThrowsAsync<SocketException>(() => ReadToEndAsync(peer));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        Assert.Equal("enough", (await failure.Task).Message);
    }

    [Fact]
    public async Task A_reset_by_the_peer_ends_reading_and_tells_so()
    {
        var failure = new TaskCompletionSource<Exception>();
        await ListenAsync(async connection =>
        {
            failure.SetResult(await Assert.ThrowsAsync<ConnectionResetException>(async () =>
            {
                await foreach (ReadOnlySequence<byte> part in PartsOf(connection))
                {
                }
            }));
            await Closed(connection);
        });
        using Socket peer = await ConnectAsync();
        await SendAllAsync(peer, "hello"u8.ToArray());
        peer.Close(timeout: 0);
        Assert.IsType<SocketException>((await failure.Task).InnerException);
    }

    [Fact]
    public async Task An_abort_ends_a_connection_whose_input_is_full()
    {
        await ListenAsync(async connection =>
        {
            while (_pool.InUse < FullBlocks)
            {
                await Task.Yield();
            }

            connection.Abort();
            await Closed(connection);
        });
        using Socket peer = await ConnectAsync();
        await Assert.ThrowsAsync<SocketException>(() => SendAllAsync(peer, new byte[20_000_000]));
    }

    [Fact]
    public async Task An_application_that_takes_no_more_ends_the_connection()
    {
        await ListenAsync(async connection => await connection.Transport.Input.CompleteAsync());
        using Socket peer = await ConnectAsync();
        await Assert.ThrowsAsync<SocketException>(() => SendAllAsync(peer, new byte[20_000_000]));
    }

    [Fact]
    public async Task Connections_that_never_rest_keep_no_other_waiting()
    {
        await ListenAsync(EchoAsync);
        int busy = Environment.ProcessorCount * 4;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] talkers = [.. Enumerable.Range(0, busy).Select(_ => TalkAsync(stop.Token))];
        for (int i = 0; i < 20; i++)
        {
            using Socket peer = await ConnectAsync();
            await SendAllAsync(peer, new byte[] { 1, 2, 3 });
            peer.Shutdown(SocketShutdown.Send);
            Assert.Equal([1, 2, 3], await ReadToEndAsync(peer));
        }

        Assert.DoesNotContain(talkers, static talker => talker.IsCompleted);
        await stop.CancelAsync();
        await Task.WhenAll(talkers);
    }

    [Fact]
    public async Task Input_is_worked_on_where_it_came_until_the_pool_is_asked_for()
    {
        var waits = new SemaphoreSlim(0);
        var first = new TaskCompletionSource<bool>();
        var second = new TaskCompletionSource<bool>();
        await ListenAsync(async connection =>
        {
            first.SetResult(await IsReadOnPoolAsync(connection.Transport.Input));
            connection.Features.Get<IPooledConnectionFeature>()!.UsePool();
            second.SetResult(await IsReadOnPoolAsync(connection.Transport.Input));
        });
        using Socket peer = await ConnectAsync();
        await waits.WaitAsync(Cancellation);
        await SendAllAsync(peer, new byte[1]);
        Assert.False(await first.Task);
        await waits.WaitAsync(Cancellation);
        await SendAllAsync(peer, new byte[1]);
        Assert.True(await second.Task);

        // What goes on when something comes is there before anything can come.
        async Task<bool> IsReadOnPoolAsync(PipeReader input)
        {
            Task<ReadResult> read = input.ReadAsync().AsTask();
            Task<bool> isOnPool = read.ContinueWith(
                static _ => Thread.CurrentThread.IsThreadPoolThread, CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            waits.Release();
            bool result = await isOnPool;
            input.AdvanceTo((await read).Buffer.End);
            return result;
        }
    }

    [Fact]
    public async Task Queued_work_is_done_once_each()
    {
        await ListenAsync(EchoAsync);
        const int Each = 20_000;
        var works = new CountedWork[8];
        using var done = new CountdownEvent(works.Length * Each);
        Parallel.For(0, works.Length, i =>
        {
            works[i] = new CountedWork(done);
            for (int n = 0; n < Each; n++)
            {
                SocketLoops.Queue(works[i]);
            }
        });
        done.Wait(Cancellation);
        Assert.All(works, static work => Assert.Equal(Each, work.Count));
    }

    [Fact]
    public async Task A_connection_is_its_own_features_and_keeps_those_that_are_added()
    {
        var seen = new TaskCompletionSource<(object?, object?, object?, object?)>();
        await ListenAsync(connection =>
        {
            object? none = connection.Features.Get<SocketConnectionTests>();
            connection.Features.Set(this);
            object? added = connection.Features.Get<SocketConnectionTests>();
            connection.Features.Set<SocketConnectionTests>(null);
            seen.SetResult((
                none, added, connection.Features.Get<SocketConnectionTests>(),
                connection.Features.Get<IConnectionSocketFeature>()?.Socket.RemoteEndPoint));
            return Task.CompletedTask;
        });
        using Socket peer = await ConnectAsync();
        Assert.Equal((null, this, null, peer.LocalEndPoint), await seen.Task);
        Assert.Empty(await ReadToEndAsync(peer));
    }

    private async Task ListenAsync(Func<ConnectionContext, Task> serve)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems have no epoll");
        _listener = await new SocketListeners(_pool, Backlog, elsewhere: null!).BindAsync(
            new IPEndPoint(IPAddress.Loopback, 0), Cancellation);
        _accepting = AcceptAsync(serve);
    }

    private async Task AcceptAsync(Func<ConnectionContext, Task> serve)
    {
        while (await _listener.AcceptAsync() is { } connection)
        {
            _serving.Enqueue(ServeAsync(connection, serve));
        }
    }

    private static async Task ServeAsync(ConnectionContext connection, Func<ConnectionContext, Task> serve)
    {
        await using (connection)
        {
            await serve(connection);
        }
    }

    private static async Task EchoAsync(ConnectionContext connection)
    {
        try
        {
            await foreach (ReadOnlySequence<byte> part in PartsOf(connection))
            {
                foreach (ReadOnlyMemory<byte> bytes in part)
                {
                    await connection.Transport.Output.WriteAsync(bytes);
                }
            }
        }
        catch (ConnectionResetException)
        {
            // A talker was stopped.
        }
    }

    private static async IAsyncEnumerable<ReadOnlySequence<byte>> PartsOf(ConnectionContext connection)
    {
        while (true)
        {
            ReadResult read = await connection.Transport.Input.ReadAsync();
            yield return read.Buffer;
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                yield break;
            }
        }
    }

    private async Task TalkAsync(CancellationToken stop)
    {
        using Socket peer = await ConnectAsync();
        byte[] words = new byte[100_000];
        byte[] heard = new byte[100_000];
        try
        {
            Task listen = ListenOnAsync();
            while (!stop.IsCancellationRequested)
            {
                await peer.SendAsync(words, stop);
            }

            await listen;
        }
        catch (OperationCanceledException)
        {
            peer.Close(timeout: 0);
        }

        async Task ListenOnAsync()
        {
            while (await peer.ReceiveAsync(heard, stop) > 0)
            {
            }
        }
    }

    private static Task Closed(ConnectionContext connection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionClosed.Register(closed.SetResult);
        return closed.Task;
    }

    private async Task<Socket> ConnectAsync()
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await peer.ConnectAsync(_listener.EndPoint, Cancellation);
        return peer;
    }

    private static async Task SendAllAsync(Socket peer, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await peer.SendAsync(bytes, Cancellation)..];
        }
    }

    private static async Task<byte[]> ReadToEndAsync(Socket peer)
    {
        using var all = new MemoryStream();
        byte[] room = new byte[100_000];
        while (await peer.ReceiveAsync(room, Cancellation) is > 0 and var count)
        {
            all.Write(room, 0, count);
        }

        return all.ToArray();
    }

    private sealed class CountedWork(CountdownEvent done) : IThreadPoolWorkItem
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Execute()
        {
            Interlocked.Increment(ref _count);
            done.Signal();
        }
    }
}
