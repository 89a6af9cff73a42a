using System.Diagnostics;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>Compiles Java sources against Debian's ActiveMQ client. The measurements compile theirs with it too.
/// </summary>
internal static class JavaClasses
{
    private static readonly string[] Jars =
    [
        "activemq-client", "geronimo-jms_1.1_spec", "geronimo-j2ee-management-1.1-spec", "geronimo-jta-1.2-spec",
        "hawtbuf", "slf4j-api", "slf4j-nop", "activemq-openwire-legacy",
    ];

    private static string Libraries => string.Join(':', Jars.Select(jar => $"/usr/share/java/{jar}.jar"));

    /// <summary>Compiles all sources of a folder into a temporary one; the class path to run them with.</summary>
    /// <exception cref="InvalidOperationException">The compiler refused; it says what it said.</exception>
    public static async Task<string> CompileAsync(string sourceFolder)
    {
        string folder = Directory.CreateTempSubdirectory("pillarbox-java-").FullName;
        string[] sources = Directory.GetFiles(sourceFolder, "*.java");
        ProcessStartInfo start = new(
            "javac", ["-nowarn", "-proc:none", "-cp", Libraries, "-d", folder, .. sources])
        {
            RedirectStandardError = true,
        };
        using Process compiler = Process.Start(start)!;
        string errors = await compiler.StandardError.ReadToEndAsync();
        await compiler.WaitForExitAsync();
        return compiler.ExitCode == 0
            ? $"{Libraries}:{folder}" : throw new InvalidOperationException($"javac: {errors}");
    }
}
