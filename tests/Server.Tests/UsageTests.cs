using Xunit;

namespace Pillarbox.Server.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("frobnicate")]
    [InlineData("queue")]
    [InlineData("queue", "show")]
    [InlineData("queue", "list", "--colour")]
    [InlineData("queue", "list", "-o", "xml")]
    [InlineData("queue", "list", "--url", "ftp://x")]
    [InlineData("run", "--listen", "amqp")]
    [InlineData("run", "--listen", "xmpp=127.0.0.1:0")]
    [InlineData("run", "--listen", "amqp=nowhere")]
    [InlineData("run", "--set", "limits.cashBytes=1")]
    [InlineData("run", "--config", "/nonexistent/pillarbox.json")]
    public async Task Wrong_usage_is_one_line_and_exit_code_2(params string[] arguments)
    {
        CliResult result = await Cli.RunAsync(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("pillarbox: ", result.OneError, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Theory]
    [InlineData("'frobnicate'", "frobnicate")]
    [InlineData("'--colour'", "queue", "list", "--colour")]
    [InlineData("'xml'", "queue", "list", "-o", "xml")]
    [InlineData("one of: 'first' 'last' 'next' (see --help)", "queue", "rewind", "q", "--to", "5")]
    [InlineData("the address is empty", "send", "", "--body", "x")]
    [InlineData("the address is empty", "receive", "")]
    [InlineData("a\uFFFDb", "run", "--config", "/nonexistent/a\u0001b")]
    public async Task Wrong_usage_names_what_is_wrong_in_the_users_words(string expected, params string[] arguments)
    {
        CliResult result = await Cli.RunAsync(arguments);
        Assert.Contains(expected, result.OneError, StringComparison.Ordinal);
        Assert.DoesNotContain("Pillarbox.Server", result.OneError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_and_version_are_printed()
    {
        CliResult help = await Cli.RunAsync("--help");
        Assert.Equal(0, help.ExitCode);
        string[] verbs = ["run", "send", "receive", "perf", "queue", "address", "stream", "group", "user", "data"];
        foreach (string verb in verbs)
        {
            Assert.Contains($"  {verb} ", help.Output, StringComparison.Ordinal);
        }

        CliResult version = await Cli.RunAsync("--version");
        Assert.Equal(0, version.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", version.Output);
    }

    [Theory]
    [InlineData("send", "orders", "--body", "x", "--url", "amqp://127.0.0.1:1")]
    [InlineData("receive", "orders", "--url", "amqp://127.0.0.1:1")]
    [InlineData("queue", "list", "--url", "http://127.0.0.1:1")]
    public async Task No_node_is_one_line_that_says_where_to_look(params string[] arguments)
    {
        CliResult result = await Cli.RunAsync(arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("is the node running? (--url", result.OneError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("15")]
    [InlineData("2026-13-45")]
    public async Task What_is_no_time_is_told_how_times_are_written(string text)
    {
        CliResult result = await Cli.RunAsync("stream", "seek", "readings", "--at", text);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"'{text}' is no time: write 2026-01-31T12:00:00Z, or how long ago", result.OneError);
    }

    [Fact]
    public async Task Help_names_no_default_that_means_none()
    {
        CliResult help = await Cli.RunAsync("receive", "--help");
        Assert.DoesNotContain("9223372036854775807", help.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_is_checked_without_a_node()
    {
        using var folder = new TemporaryFolder();
        string good = folder.Write("good.json", """{ /* all well */ "limits": { "shards": 2 } }""");
        CliResult fine = await Cli.RunAsync("config", "check", "--config", good);
        Assert.Equal((0, "good\n"), (fine.ExitCode, fine.Output));
        string bad = folder.Write("bad.json", """{ "limts": {} }""");
        CliResult wrong = await Cli.RunAsync("config", "check", "--config", bad);
        Assert.Equal(2, wrong.ExitCode);
        Assert.Equal($"pillarbox: {bad}: unknown key 'limts'; did you mean 'limits'?", wrong.OneError);
    }

    [Fact]
    public async Task The_schema_is_printed()
    {
        CliResult result = await Cli.RunAsync("config", "schema");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Hosting.Configuration.ConfigSchema.Text, result.Output);
    }

    [Fact]
    public async Task The_shell_can_ask_what_may_follow()
    {
        CliResult script = await Cli.RunAsync("completion", "bash");
        Assert.Contains("complete -F _pillarbox pillarbox", script.Output, StringComparison.Ordinal);
        CliResult words = await Cli.RunAsync("[suggest:16]", "pillarbox queue ");
        Assert.Contains("browse", words.Output, StringComparison.Ordinal);
    }
}
