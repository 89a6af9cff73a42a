using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Pillarbox.Load;

/// <summary>What a TCP service is measured with: a server that greets with one byte and then takes what comes, and its
/// clients.</summary>
internal sealed class TcpLoad : IDisposable
{
    private const int PieceBytes = 256 << 10;
    private const int ClientsAtOnce = 32;

    // Ports of the machine, of which each connection takes one for a while.
    private const int ConnectionsMax = 15_000;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private long _received;

    public TcpLoad()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(4096);
        _ = AcceptAsync();
    }

    /// <summary>Where the server listens.</summary>
    public IPEndPoint Server => (IPEndPoint)_listener.LocalEndPoint!;

    public void Dispose() => _listener.Dispose();

    /// <summary>Waits until a client is greeted. Throws <see cref="InvalidOperationException"/>.</summary>
    public static async Task WaitForAsync(IPEndPoint place, TimeSpan patience)
    {
        long since = Stopwatch.GetTimestamp();
        while (!await TryGreetAsync(place))
        {
            if (Stopwatch.GetElapsedTime(since) > patience)
            {
                throw new InvalidOperationException($"{place} does not lead to the server");
            }

            await Task.Delay(50);
        }
    }

    /// <summary>One client sends for so long; returns the bytes that came in a second.</summary>
    public async Task<double> StreamAsync(IPEndPoint place, double seconds)
    {
        using Socket client = await ConnectAsync(place);
        byte[] piece = new byte[PieceBytes];
        bool isOver = false;
        Task sending = Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    client.Send(piece);
                }
            },
            TaskCreationOptions.LongRunning);
        await Task.Delay(500);
        long before = Volatile.Read(ref _received);
        long since = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        double rate = (Volatile.Read(ref _received) - before) / Stopwatch.GetElapsedTime(since).TotalSeconds;
        Volatile.Write(ref isOver, true);
        await sending;
        return rate;
    }

    /// <summary>Clients connect, are greeted and leave, one after the other, for so long; returns how many there were
    /// in a second.</summary>
    public static async Task<double> ConnectionsAsync(IPEndPoint place, double seconds)
    {
        long since = Stopwatch.GetTimestamp();
        int done = 0;
        int failed = 0;
        await Task.WhenAll(Enumerable.Range(0, ClientsAtOnce).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(since).TotalSeconds < seconds && Volatile.Read(ref done) < ConnectionsMax)
            {
                if (await TryGreetAsync(place))
                {
                    Interlocked.Increment(ref done);
                }
                else
                {
                    Interlocked.Increment(ref failed);
                }
            }
        })));
        return failed == 0 ? done / Stopwatch.GetElapsedTime(since).TotalSeconds
            : throw new InvalidOperationException($"{failed} connections failed, {done} did not");
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint place)
    {
        var client = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await client.ConnectAsync(place);
            return await client.ReceiveAsync(new byte[1]) == 1 ? client : throw new IOException("not greeted");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static async Task<bool> TryGreetAsync(IPEndPoint place)
    {
        try
        {
            using Socket client = await ConnectAsync(place);
            client.Shutdown(SocketShutdown.Send);
            return await client.ReceiveAsync(new byte[1]) == 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await client.SendAsync(new byte[1]);
                byte[] piece = new byte[4096];
                for (int bytes; (bytes = await client.ReceiveAsync(piece)) > 0;)
                {
                    Interlocked.Add(ref _received, bytes);
                    // Who sends much is served as fast as can be.
                    piece = piece.Length == PieceBytes || bytes < piece.Length ? piece : new byte[PieceBytes];
                }
            }
            catch (SocketException)
            {
                // The measurement is over.
            }
        }
    }
}
