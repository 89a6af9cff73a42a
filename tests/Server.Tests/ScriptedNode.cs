using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>A node of one stream that answers each look at its records as a test says, and notes how long each would
/// have waited. It speaks as much HTTP as the program does.</summary>
internal sealed class ScriptedNode : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _stream;
    private readonly Queue<string> _reads;
    private readonly Task _serving;

    /// <summary>Shows the stream as this JSON, and answers reads with these, one by one; then with 500.</summary>
    public ScriptedNode(string stream, params string[] reads)
    {
        (_stream, _reads) = (stream, new Queue<string>(reads));
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Url => $"http://{_listener.LocalEndpoint}";

    /// <summary>How long each read asked to wait, in milliseconds.</summary>
    public List<int> WaitsMs { get; } = [];

    public void Dispose()
    {
        _listener.Stop();
        Assert.True(_serving.Wait(TimeSpan.FromMinutes(1)));
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync();
                await AnswerAsync(client.GetStream());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        string request = await reader.ReadLineAsync() ?? "";
        while (await reader.ReadLineAsync() is { Length: > 0 })
        {
        }

        bool hasBody = request.StartsWith("POST", StringComparison.Ordinal);
        (int status, string answer) = Answer(hasBody ? await ChunksAsync(reader) : null);
        byte[] bytes = Encoding.UTF8.GetBytes(answer);
        string head = $"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n"
            + $"Content-Length: {bytes.Length}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head).Concat(bytes).ToArray());
    }

    // The program sends its bodies in chunks.
    private static async Task<string> ChunksAsync(StreamReader reader)
    {
        var body = new StringBuilder();
        while (int.Parse(await reader.ReadLineAsync() ?? "0", NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            is > 0 and int length)
        {
            var chunk = new char[length];
            await reader.ReadBlockAsync(chunk);
            body.Append(chunk);
            await reader.ReadLineAsync();
        }

        return body.ToString();
    }

    private (int Status, string Answer) Answer(string? body)
    {
        if (body is null)
        {
            return (200, _stream);
        }

        WaitsMs.Add((int)JsonNode.Parse(body)!["waitMs"]!);
        return _reads.TryDequeue(out string? answer) ? (200, answer) : (500, "{}");
    }
}
