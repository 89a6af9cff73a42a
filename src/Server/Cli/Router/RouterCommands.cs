using System.CommandLine;

namespace Pillarbox.Server.Cli.Router;

/// <summary><c>pillarbox router …</c></summary>
internal static class RouterCommands
{
    public static Command Create() => new("router", "The network of nodes: run.") { RouterRunCommand.Create() };
}
