using System.Diagnostics;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>Java programs on Debian's ActiveMQ client, compiled once per run of the tests.</summary>
internal static class JavaClient
{
    private static readonly Lazy<Task<string>> ClassPath =
        new(() => JavaClasses.CompileAsync(Programs.Script("OpenWire", "java")));

    /// <summary>Runs a main class of OpenWire/java to its end.</summary>
    public static async Task<ClientResult> RunAsync(string main, params string[] arguments) =>
        await ClientProcess.RunAsync("java", await CommandAsync(main, arguments));

    /// <summary>Starts one that goes on beside the test; the caller ends it.</summary>
    public static async Task<Process> StartAsync(string main, params string[] arguments) =>
        ClientProcess.Start("java", await CommandAsync(main, arguments), redirectInput: true);

    // A small heap and one compiler: the client is not what is tested for speed.
    private static async Task<string[]> CommandAsync(string main, string[] arguments) =>
    [
        "-Xmx400m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", await ClassPath.Value, main,
        .. arguments,
    ];
}
