using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Pillarbox.Server.Tests;

/// <summary><c>pillarbox router run</c>: started, and logging, as <c>qdrouterd</c> is.</summary>
public sealed class RouterRunVerbTests : IDisposable
{
    private const string Conf =
        """
        router {
            mode: interior
            id: A
            workerThreads: 4
        }
        listener {
            host: 127.0.0.1
            port: 0
        }
        log {
            module: DEFAULT
            enable: info+
            outputFile: LOG
        }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Its_lines_have_the_form_that_scripts_read()
    {
        using Process router = Cli.Start(null, "router", "run", "-c", Write(Conf.Replace("LOG", "stderr")), "-I", "/x");
        List<string> lines = [];
        while (lines.Count == 0 || !lines[^1].Contains(" Listening on ", StringComparison.Ordinal))
        {
            lines.Add(await router.StandardError.ReadLineAsync()
                ?? throw new EndOfStreamException(string.Join('\n', lines)));
        }

        Assert.All(lines, line => Assert.Matches(
            @"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} \+0000 [A-Z_]+ \((info|notice|warning)\) ", line));
        Assert.Contains(lines, line => line.EndsWith(
            $"SERVER (notice) Operational, {Environment.ProcessorCount} Threads Running (process ID {router.Id})",
            StringComparison.Ordinal));
        Assert.Matches(@" SERVER \(notice\) Listening on 127\.0\.0\.1:\d+$", lines[^1]);
        Assert.Contains(lines, line => line.Contains("router.workerThreads has no effect", StringComparison.Ordinal));
        await EndAsync(router);
        Assert.Equal(0, router.ExitCode);
    }

    [Fact]
    public async Task It_goes_on_in_the_background_and_leaves_its_process_id()
    {
        string log = Path.Combine(_folder.Path, "router.log");
        string pidFile = Path.Combine(_folder.Path, "router.pid");
        CliResult result = await Cli.RunAsync(
            "router", "run", "-c", Write(Conf.Replace("LOG", log)), "-d", "-P", pidFile);
        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        int id = int.Parse(await File.ReadAllTextAsync(pidFile), CultureInfo.InvariantCulture);
        using Process router = Process.GetProcessById(id);
        await EndAsync(router);
        Assert.False(File.Exists(pidFile));
        Assert.Contains("Operational", await File.ReadAllTextAsync(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_can_be_read_without_a_start()
    {
        CliResult good = await Cli.RunAsync("router", "run", "-T", "-c", Write(Conf));
        Assert.Equal(0, good.ExitCode);
        Assert.Contains("router.workerThreads has no effect", good.Output, StringComparison.Ordinal);

        CliResult bad = await Cli.RunAsync("router", "run", "-T", "-c", Write("router {\nmode: none\n}\n"));
        Assert.Equal(2, bad.ExitCode);
        Assert.Contains("qdrouterd.conf:1: 'mode' must be standalone, interior, edge, not 'none'", bad.OneError,
            StringComparison.Ordinal);
    }

    private static async Task EndAsync(Process router)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{router.Id}"]);
        await router.WaitForExitAsync();
    }

    private string Write(string conf)
    {
        string path = Path.Combine(_folder.Path, "qdrouterd.conf");
        File.WriteAllText(path, conf);
        return path;
    }
}
