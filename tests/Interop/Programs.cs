using System.Reflection;

namespace Pillarbox.Interop.Tests;

/// <summary>Where the programs lie that these tests start.</summary>
internal static class Programs
{
    public static string Root { get; } = FindRoot();

    public static string Folder { get; } = Path.Combine(Root, "tests", "Interop");

    /// <summary>The program under test: built beside this test, or named by PILLARBOX_BINARY.</summary>
    public static string Pillarbox { get; } = FindPillarbox();

    /// <summary>Debian's Python: another one would not have Proton.</summary>
    public static string Python => "/usr/bin/python3";

    public static string Script(params string[] parts) => Path.Combine([Folder, .. parts]);

    /// <summary>Compiles the C client once per run of the tests.</summary>
    public static Lazy<Task<string>> CClient { get; } =
        new(() => CompileAsync(Script("c", "client.c"), "-lqpid-proton"));

    /// <summary>Compiles the C client on librdkafka once per run of the tests.</summary>
    public static Lazy<Task<string>> KafkaCClient { get; } =
        new(() => CompileAsync(Script("Kafka", "librdkafka", "client.c"), "-lrdkafka"));

    /// <summary>Compiles the C client of the streams' crash loop once per run of the tests.</summary>
    public static Lazy<Task<string>> KafkaCrashClient { get; } =
        new(() => CompileAsync(Script("Kafka", "librdkafka", "crash.c"), "-lrdkafka"));

    /// <summary>Compiles the C client that logs in with tokens once per run of the tests.</summary>
    public static Lazy<Task<string>> KafkaTokenClient { get; } =
        new(() => CompileAsync(Script("Kafka", "librdkafka", "oauth.c"), "-lrdkafka"));

    /// <summary>Compiles the C client on the newest librdkafka, which comes as a package, once per run of the tests.
    /// </summary>
    public static Lazy<Task<string>> KafkaClientOfToday { get; } = new(CompileOnNewestAsync);

    // The package's library is named otherwise than it calls itself, and knows Cyrus SASL by the number that others
    // than Debian give it.
    private static async Task<string> CompileOnNewestAsync()
    {
        string package = typeof(Programs).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(a => a.Key == "librdkafka").Value!;
        string folder = Directory.CreateTempSubdirectory("pillarbox-librdkafka-").FullName;
        string library = Path.Combine(folder, "librdkafka.so.1");
        File.Copy(Path.Combine(package, "runtimes", "linux-x64", "native", "librdkafka.so"), library);
        File.CreateSymbolicLink(
            Path.Combine(folder, "libsasl2.so.3"), "/usr/lib/x86_64-linux-gnu/libsasl2.so.2");
        string headers = Path.Combine(package, "build", "native", "include", "librdkafka");
        string paths = $"-Wl,-rpath,{folder},-rpath-link,{folder},--disable-new-dtags";
        return await CompileAsync(Script("Kafka", "librdkafka", "today.c"), library, $"-I{headers}", paths);
    }

    private static async Task<string> CompileAsync(
        string source, string library, params string[] more)
    {
        string folder = Directory.CreateTempSubdirectory("pillarbox-c-").FullName;
        string program = Path.Combine(folder, "client");
        string[] arguments = ["-O1", "-Wall", "-o", program, source, .. more, library];
        ClientResult result = await ClientProcess.RunAsync("gcc", arguments);
        return result.ExitCode == 0 ? program : throw new InvalidOperationException(result.Everything);
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Pillarbox.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("Pillarbox.slnx stands in no folder above the test.");
    }

    private static string FindPillarbox()
    {
        string? named = Environment.GetEnvironmentVariable("PILLARBOX_BINARY");
        if (!string.IsNullOrEmpty(named)) return Path.GetFullPath(named, Root);
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Path.Combine(Root, "artifacts", "bin", "Pillarbox.Server", configuration, "pillarbox");
    }
}
