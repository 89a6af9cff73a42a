using System.Diagnostics;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>Java programs on Debian's ActiveMQ client, compiled once per run of the tests.</summary>
internal static class JavaClient
{
    private static readonly string[] Jars =
    [
        "activemq-client", "geronimo-jms_1.1_spec", "geronimo-j2ee-management-1.1-spec", "geronimo-jta-1.2-spec",
        "hawtbuf", "slf4j-api", "slf4j-nop", "activemq-openwire-legacy",
    ];

    private static readonly Lazy<Task<string>> Classes = new(CompileAsync);

    private static string ClassPath => string.Join(':', Jars.Select(jar => $"/usr/share/java/{jar}.jar"));

    /// <summary>Runs a main class of OpenWire/java to its end.</summary>
    public static async Task<ClientResult> RunAsync(string main, params string[] arguments) =>
        await ClientProcess.RunAsync("java", await CommandAsync(main, arguments));

    /// <summary>Starts one that goes on beside the test; the caller ends it.</summary>
    public static async Task<Process> StartAsync(string main, params string[] arguments) =>
        ClientProcess.Start("java", await CommandAsync(main, arguments), redirectInput: true);

    // A small heap and one compiler: the client is not what is tested for speed.
    private static async Task<string[]> CommandAsync(string main, string[] arguments) =>
    [
        "-Xmx400m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", $"{ClassPath}:{await Classes.Value}", main,
        .. arguments,
    ];

    private static async Task<string> CompileAsync()
    {
        string folder = Directory.CreateTempSubdirectory("pillarbox-java-").FullName;
        string[] sources = Directory.GetFiles(Programs.Script("OpenWire", "java"), "*.java");
        ClientResult result = await ClientProcess.RunAsync(
            "javac", ["-nowarn", "-proc:none", "-cp", ClassPath, "-d", folder, .. sources]);
        return result.ExitCode == 0 ? folder : throw new InvalidOperationException(result.Everything);
    }
}
