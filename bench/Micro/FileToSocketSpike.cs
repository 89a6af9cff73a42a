using System.Net;
using System.Net.Sockets;

namespace Pillarbox.Micro;

/// <summary>
/// What a fetch from the page cache costs: read into memory and send (what a connection's pipe does), against the
/// system's own copying from file to socket. Sender and receiver are in this process; the receiver's part is the same.
/// </summary>
internal static class FileToSocketSpike
{
    private const int ChunkBytes = 64 << 10;
    private const int FileBytes = 64 << 20;

    public static void Run(double seconds)
    {
        string path = Path.Combine(Path.GetTempPath(), $"pillarbox-fetch-{Environment.ProcessId}");
        File.WriteAllBytes(path, new byte[FileBytes]);
        try
        {
            for (int round = 0; round < 3; round++)
            {
                Measure("read and send", path, seconds, Copy);
                Measure("sendfile", path, seconds, static (socket, file) => socket.SendFile(file.Name));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Measure(string name, string path, double seconds, Action<Socket, FileStream> send)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        sender.Connect(listener.LocalEndPoint!);
        using Socket receiver = listener.Accept();
        var sink = new Thread(() => Receive(receiver));
        sink.Start();
        using FileStream file = File.OpenRead(path);
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long started = TimeProvider.System.GetTimestamp();
        long bytes = 0;
        while (TimeProvider.System.GetElapsedTime(started).TotalSeconds < seconds)
        {
            send(sender, file);
            bytes += FileBytes;
        }

        sender.Shutdown(SocketShutdown.Both);
        sink.Join();
        double wall = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        double used = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
        double gib = bytes / (double)(1 << 30);
        Console.WriteLine($"{name,-14} {gib / wall:F2} GiB/s, {used / gib:F3} s of CPU a GiB (both ends)");
    }

    private static void Copy(Socket socket, FileStream file)
    {
        byte[] buffer = new byte[ChunkBytes];
        for (long at = 0; at < FileBytes;)
        {
            int count = RandomAccess.Read(file.SafeFileHandle, buffer, at);
            socket.Send(buffer.AsSpan(0, count));
            at += count;
        }
    }

    private static void Receive(Socket socket)
    {
        byte[] buffer = new byte[1 << 20];
        while (socket.Receive(buffer) > 0)
        {
            // Only counted at the other end.
        }
    }
}
