using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>
/// More clients than the system lets the node have: it takes as many as it can, closes the others at once, says so
/// once, and goes on with those that it has and with its files.
/// </summary>
public sealed class DescriptorTests
{
    // What a node has open without clients is about half of it.
    private const int Limit = 400;
    private const string Warning = "connections refused so far";

    [Fact]
    public async Task Clients_beyond_the_systems_limit_are_refused_and_nothing_else_happens()
    {
        using var directory = new TemporaryDirectory();
        string[] within = ["prlimit", $"--nofile=200:{Limit}"];
        await using PillarboxProcess node =
            await PillarboxProcess.StartWithinAsync(within, directory.File("data"), ownListeners: false);
        string limits = await File.ReadAllTextAsync($"/proc/{node.Id}/limits");
        string line = limits.Split('\n').Single(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        Assert.Equal([$"{Limit}", $"{Limit}"], line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3..5]);

        var clients = new List<TcpClient>();
        int refused = 0;
        for (int i = 0; i < Limit + 100; i++)
        {
            if (await ConnectAsync(node) is { } client) clients.Add(client);
            else refused++;
        }

        Assert.True(clients.Count > 50, $"only {clients.Count} clients found room");
        Assert.True(refused >= 100, $"{clients.Count} clients and more files than {Limit} descriptors");
        await node.AssertWritesAsync(Warning);
        Assert.Equal(1, node.Output.Split(Warning).Length - 1);

        // Nothing turns round and round: it would use this time whole, and more on several processors.
        TimeSpan before = Cpu(node);
        await Task.Delay(TimeSpan.FromSeconds(3));
        TimeSpan used = Cpu(node) - before;
        Assert.True(used < TimeSpan.FromSeconds(1), $"an idle node used {used} of 3 s");

        // Its files have room: a queue and a stream are made, and a message is durable.
        const string Send = "SEND\ndestination:/queue/q\npersistent:true\nreceipt:1\n\nx\0";
        Assert.Equal("RECEIPT", await SayAsync(clients[0], Send));
        string[] create = ["stream", "create", "s", "--partitions", "8", "--url", node.HttpUrl];
        clients[^1].Dispose();
        clients[^2].Dispose();
        (await ClientProcess.RunAsync(Programs.Pillarbox, create)).AssertExit(0);
        foreach (TcpClient client in clients) client.Dispose();

        TcpClient? later = null;
        for (int looks = 0; later is null && looks < 100; looks++)
        {
            later = await ConnectAsync(node);
            if (later is null) await Task.Delay(100);
        }

        Assert.NotNull(later);
        later.Dispose();
        Assert.Equal(0, await node.StopAsync());
    }

    // Null: it was refused.
    private static async Task<TcpClient?> ConnectAsync(PillarboxProcess node)
    {
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPEndPoint.Parse(node.Listener("stomp")));
            string answer = await SayAsync(client, "CONNECT\naccept-version:1.2\nhost:x\n\n\0");
            if (answer == "CONNECTED") return client;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Closed before it was heard.
        }

        client.Dispose();
        return null;
    }

    // The first word of what comes back; nothing: the connection ended.
    private static async Task<string> SayAsync(TcpClient client, string frame)
    {
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(frame));
        var answer = new StringBuilder();
        byte[] buffer = new byte[1024];
        int count;
        while (!answer.ToString().Contains('\0')
            && (count = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(60))) > 0)
        {
            answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return answer.ToString().Trim('\n', '\0').Split('\n')[0];
    }

    // User and system time are the 14th and the 15th field, in hundredths of a second.
    private static TimeSpan Cpu(PillarboxProcess node)
    {
        string[] fields = File.ReadAllText($"/proc/{node.Id}/stat").Split(')')[^1].Split(' ');
        long ticks = long.Parse(fields[12], CultureInfo.InvariantCulture)
            + long.Parse(fields[13], CultureInfo.InvariantCulture);
        return TimeSpan.FromMilliseconds(ticks * 10);
    }
}
