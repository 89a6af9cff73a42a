using Xunit;

namespace Pillarbox.Server.Tests;

public sealed class UserVerbTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_user_is_added_listed_changed_and_removed()
    {
        CliResult added = await UserAsync("secret\n", "add", "alice", "--role", "admin", "--role", "ops");
        Assert.Equal((0, ""), (added.ExitCode, added.Output));
        string[] lines = (await UserAsync("", "list")).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(["alice", "admin,ops", "yes", "any"], lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string json = (await UserAsync("", "list", "-o", "json")).Output;
        Assert.Contains("\"alice\"", json, StringComparison.Ordinal);
        Assert.Equal(0, (await UserAsync("other\n", "set-password", "alice")).ExitCode);
        Assert.Equal(0, (await UserAsync("", "set-roles", "alice", "--role", "viewer")).ExitCode);
        Assert.Contains("viewer", (await UserAsync("", "list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await UserAsync("", "remove", "alice")).ExitCode);
        Assert.Single((await UserAsync("", "list")).Output.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task The_password_is_nowhere_to_be_seen()
    {
        const string Canary = "canary-4711-xyzzy";
        CliResult added = await UserAsync(Canary + "\n", "add", "alice");
        Assert.DoesNotContain(Canary, added.Output + added.Errors, StringComparison.Ordinal);
        foreach (string file in Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(Canary, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Mistakes_have_their_exit_codes()
    {
        Assert.Equal(2, (await UserAsync("", "add", "alice")).ExitCode);
        Assert.Equal(2, (await UserAsync("secret\n", "add", "$node")).ExitCode);
        Assert.Equal(0, (await UserAsync("secret\n", "add", "alice")).ExitCode);
        Assert.Equal(6, (await UserAsync("secret\n", "add", "alice")).ExitCode);
        Assert.Equal(3, (await UserAsync("secret\n", "set-password", "bob")).ExitCode);
        Assert.Equal(3, (await UserAsync("", "remove", "bob")).ExitCode);
    }

    private Task<CliResult> UserAsync(string input, string verb, params string[] arguments) =>
        Cli.RunWithAsync(input, null, ["user", verb, .. arguments, "--data", _folder.Path]);
}
