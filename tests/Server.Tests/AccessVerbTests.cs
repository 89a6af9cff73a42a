using System.Text.Json.Nodes;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting;
using Pillarbox.Storage;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary>The verbs of access rules and quotas, against a node in memory that has users.</summary>
public sealed class AccessVerbTests : IAsyncLifetime
{
    private const string Password = "correct horse";
    private PillarboxTestHost _node = null!;

    public async ValueTask InitializeAsync()
    {
        var files = new MemoryFileSystem();
        using var users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = files,
            Path = "data/users.json",
            PlainIterations = 1000,
            ScramIterations = 4096,
        });
        users.Add("root", new Secret(Password), ["admin"]);
        _node = await PillarboxTestHost.StartAsync(seams: new NodeSeams { FileSystem = files });
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task Rules_are_added_listed_and_removed()
    {
        CliResult added = await RunAsync(
            "acl", "add", "--stream", "orders", "--prefix", "--for-user", "alice", "--operation", "read",
            "--operation", "write");
        Assert.Equal((0, "", ""), (added.ExitCode, added.Output, added.Errors));
        Assert.Equal(0, (await RunAsync(
            "acl", "add", "--group", "*", "--for-everybody", "--operation", "delete", "--deny")).ExitCode);
        string[] lines = Lines((await RunAsync("acl", "list")).Output);
        Assert.Equal(["EFFECT", "OPERATION", "KIND", "NAME", "FOR"], Words(lines[0]));
        Assert.Equal(4, lines.Length);
        Assert.Contains(lines, line => Words(line) is ["deny", "delete", "group", "*", "everybody"]);
        Assert.Contains(lines, line => Words(line) is ["allow", "write", "address", "orders…", "user", "alice"]);
        JsonNode json = JsonNode.Parse((await RunAsync("acl", "list", "--filter", "orders", "-o", "json")).Output)!;
        Assert.Equal(2, json["items"]!.AsArray().Count);

        CliResult removed = await RunAsync("acl", "remove", "--for-user", "alice", "--operation", "write");
        Assert.Equal(["allow", "write", "address", "orders…", "user", "alice"], Words(Lines(removed.Output)[1]));
        Assert.Equal(3, Lines((await RunAsync("acl", "list")).Output).Length);
        Assert.Equal(0, (await RunAsync("acl", "remove", "--group", "*", "--deny", "true")).ExitCode);
        Assert.Equal(2, Lines((await RunAsync("acl", "list")).Output).Length);
    }

    [Fact]
    public async Task Quotas_are_set_listed_and_removed()
    {
        CliResult set = await RunAsync(
            "quota", "set", "--for-any-user", "--for-client-id", "loader", "--producer-byte-rate", "1000",
            "--request-percentage", "12.5");
        Assert.Equal((0, "", ""), (set.ExitCode, set.Output, set.Errors));
        string[] lines = Lines((await RunAsync("quota", "list")).Output);
        Assert.Equal(["<default>", "loader", "producer_byte_rate", "1000"], Words(lines[1]));
        Assert.Equal(["<default>", "loader", "request_percentage", "12.5"], Words(lines[2]));
        string[] entity = ["--for-any-user", "--for-client-id", "loader"];
        Assert.Equal(
            0, (await RunAsync(["quota", "remove", .. entity, "--quota", "request_percentage"])).ExitCode);
        JsonNode json = JsonNode.Parse((await RunAsync("quota", "list", "-o", "json")).Output)!;
        Assert.Equal(1000, (double?)Assert.Single(json["items"]!.AsArray())!["values"]!["producer_byte_rate"]);
        Assert.Equal(0, (await RunAsync(["quota", "remove", .. entity])).ExitCode);
        Assert.Single(Lines((await RunAsync("quota", "list")).Output));
        Assert.Equal(3, (await RunAsync(["quota", "remove", .. entity])).ExitCode);
    }

    [Fact]
    public async Task Exit_codes_and_errors_say_what_to_do()
    {
        CliResult nobody = await RunAsync("acl", "add", "--stream", "x", "--operation", "read");
        Assert.Equal(
            (2, "pillarbox: say for whom: --for-user, --for-role or --for-everybody"),
            (nobody.ExitCode, nobody.OneError));
        CliResult two = await RunAsync(
            "acl", "add", "--stream", "x", "--group", "y", "--for-everybody", "--operation", "read");
        Assert.Equal(2, two.ExitCode);
        Assert.Equal(2, (await RunAsync("acl", "add", "--stream", "x", "--for-everybody")).ExitCode);
        Assert.Equal(2, (await RunAsync("acl", "remove")).ExitCode);
        Assert.Equal(3, (await RunAsync("acl", "remove", "--stream", "nothing")).ExitCode);
        Assert.Equal(2, (await RunAsync("quota", "set", "--producer-byte-rate", "1")).ExitCode);
        Assert.Equal(2, (await RunAsync("quota", "set", "--for-any-user")).ExitCode);
        Assert.Equal(2, (await RunAsync(
            "quota", "set", "--for-any-user", "--for-user", "x", "--producer-byte-rate", "1")).ExitCode);
    }

    private Task<CliResult> RunAsync(params string[] arguments) => Cli.RunWithAsync(
        null,
        new Dictionary<string, string>
        {
            ["PILLARBOX_URL"] = _node.HttpUrl,
            ["PILLARBOX_USER"] = "root",
            ["PILLARBOX_PASSWORD"] = Password,
        },
        arguments);

    private static string[] Lines(string output) => output.TrimEnd('\n').Split('\n');

    private static string[] Words(string line) =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
