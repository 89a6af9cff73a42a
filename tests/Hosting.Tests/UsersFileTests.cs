using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Storage;
using Pillarbox.Testing;
using Xunit;

namespace Pillarbox.Hosting.Tests;

/// <summary>A file of users that cannot be used is said at the start: a node without users would let everybody
/// in.</summary>
public sealed class UsersFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pillarbox-users-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_file_that_is_named_and_not_there_is_refused_with_its_path_and_what_to_do()
    {
        string path = Path.Combine(_directory, "usres.json");
        StartException fault = await Assert.ThrowsAsync<StartException>(() => StartAsync(path));
        Assert.Equal(
            $"the users file {path}: there is no such file, or it cannot be looked at; name another, or make it with "
                + "'pillarbox user add NAME --role admin' and the same configuration",
            fault.Message);
    }

    [Fact]
    public async Task A_directory_is_no_file_of_users()
    {
        StartException fault = await Assert.ThrowsAsync<StartException>(() => StartAsync(_directory));
        Assert.StartsWith($"the users file {_directory}: ", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("not json")]
    [InlineData("[]")]
    public async Task A_file_of_something_else_is_refused_with_its_path_and_what_to_do(string text)
    {
        string path = Path.Combine(_directory, "users.json");
        await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        StorageException fault = await Assert.ThrowsAsync<StorageException>(() => StartAsync(path));
        Assert.StartsWith($"{path} is not a file of users: ", fault.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "; put back one that was good, or move it away and make the users anew (pillarbox user add)", fault.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    // What the message says to do.
    [Fact]
    public async Task The_first_user_makes_the_file_and_the_node_starts()
    {
        string path = Path.Combine(_directory, "users.json");
        using (UserStore store = NodeUsers.Open(
            new PillarboxConfig { Security = new SecuritySection { UsersFile = path } }))
        {
            using var password = new Secret("a word"u8);
            store.Add("ann", password, ["admin"]);
        }

        await using PillarboxTestHost node = await StartAsync(path);
        Assert.NotEmpty(node.Node.Endpoints);
    }

    private static Task<PillarboxTestHost> StartAsync(string path) => PillarboxTestHost.StartAsync(
        config => config with { Security = new SecuritySection { UsersFile = path } });
}
