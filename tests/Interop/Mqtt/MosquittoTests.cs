using System.Diagnostics;
using Xunit;

namespace Pillarbox.Interop.Tests.Mqtt;

/// <summary>mosquitto_pub and mosquitto_sub, the tools that everybody has at hand.</summary>
[Collection(nameof(SharedNode))]
public sealed class MosquittoTests(SharedNode shared)
{
    private readonly string _topic = $"mosquitto/{Guid.NewGuid():N}";

    [Theory]
    [InlineData("31", 0)]
    [InlineData("31", 2)]
    [InlineData("311", 1)]
    [InlineData("311", 2)]
    [InlineData("5", 0)]
    [InlineData("5", 1)]
    [InlineData("5", 2)]
    public async Task Lines_come_out_as_they_went_in(string version, int qos)
    {
        string[] lines = [.. Enumerable.Range(0, 500).Select(i => $"line {i}")];
        using Process reader = await SubscribeAsync(
            "-V", version, "-q", $"{qos}", "-t", _topic + "/+", "-C", $"{lines.Length}");
        string[] publish = ["-V", version, "-q", $"{qos}", "-t", _topic + "/x", "-l"];
        (await RunAsync("mosquitto_pub", string.Join('\n', lines) + "\n", publish)).AssertExit(0);
        Assert.Equal(lines, await LinesAsync(reader));
        shared.AssertAlive();
    }

    [Fact]
    public async Task A_retained_message_comes_later_and_goes_when_it_is_emptied()
    {
        (await RunAsync("mosquitto_pub", null, "-t", _topic, "-m", "kept", "-r", "-q", "1")).AssertExit(0);
        ClientResult got = await RunAsync("mosquitto_sub", null, "-t", _topic, "-C", "1", "-F", "%r %p", "-W", "20");
        Assert.Equal("1 kept", got.Output.Trim());
        (await RunAsync("mosquitto_pub", null, "-t", _topic, "-n", "-r", "-q", "1")).AssertExit(0);
        ClientResult none = await RunAsync("mosquitto_sub", null, "-t", _topic, "-C", "1", "-W", "2");
        Assert.Equal("", none.Output);
    }

    [Fact]
    public async Task A_session_keeps_messages_while_its_client_is_away()
    {
        string id = $"sleeper-{Guid.NewGuid():N}";
        string[] sleeper = ["-i", id, "-c", "-q", "1", "-t", _topic];
        (await RunAsync("mosquitto_sub", null, [.. sleeper, "-E"])).AssertExit(0);
        (await RunAsync("mosquitto_pub", null, "-q", "1", "-t", _topic, "-m", "waited")).AssertExit(0);
        ClientResult got = await RunAsync("mosquitto_sub", null, [.. sleeper, "-C", "1", "-W", "20"]);
        Assert.Equal("waited", got.Output.Trim());
    }

    [Fact]
    public async Task A_message_goes_from_MQTT_to_AMQP_and_back()
    {
        string queue = $"mqtt.{Guid.NewGuid():N}";
        string topic = queue.Replace('.', '/');
        string[] amqp = ["--url", shared.Node.AmqpUrl];
        string[] create = ["queue", "create", queue, "--url", shared.Node.HttpUrl];
        (await ClientProcess.RunAsync(Programs.Pillarbox, create)).AssertExit(0);
        string[] publish =
            ["-V", "5", "-q", "1", "-t", topic, "-m", "from mqtt", "-D", "publish", "user-property", "a", "b"];
        (await RunAsync("mosquitto_pub", null, publish)).AssertExit(0);
        ClientResult got = await ClientProcess.RunAsync(
            Programs.Pillarbox, ["receive", queue, "--count", "1", "-o", "json", .. amqp]);
        Assert.Contains("from mqtt", got.Output, StringComparison.Ordinal);
        Assert.Contains("\"a\":\"b\"", got.Output.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);

        using Process reader = await SubscribeAsync("-V", "5", "-q", "1", "-t", topic, "-C", "1", "-F", "%t %p %P");
        string[] send = ["send", queue, "--body", "from amqp", "--durable", "--property", "c=d", .. amqp];
        (await ClientProcess.RunAsync(Programs.Pillarbox, send)).AssertExit(0);
        string line = Assert.Single(await LinesAsync(reader));
        Assert.StartsWith($"{topic} from amqp", line, StringComparison.Ordinal);
        Assert.Contains("c:d", line, StringComparison.Ordinal);
    }

    private string[] Server =>
        ["-h", shared.Node.Listener("mqtt").Split(':')[0], "-p", shared.Node.Listener("mqtt").Split(':')[1]];

    private Task<ClientResult> RunAsync(string program, string? input, params string[] arguments) =>
        ClientProcess.RunAsync(program, [.. Server, .. arguments], input);

    // Subscribed once the node has said so: the client's own report is the sign. It writes to a pipe only when it ends,
    // unless it is told to write each line.
    private async Task<Process> SubscribeAsync(params string[] arguments)
    {
        Process process = ClientProcess.Start("stdbuf", ["-oL", "mosquitto_sub", "-d", .. Server, .. arguments]);
        string? line;
        do
        {
            line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        while (line is not null && !line.StartsWith("Subscribed", StringComparison.Ordinal));
        Assert.NotNull(line);
        return process;
    }

    private static async Task<string[]> LinesAsync(Process process)
    {
        string output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync();
        return [.. output.Split('\n').Where(l => l.Length > 0 && !l.StartsWith("Client ", StringComparison.Ordinal))];
    }
}
