using System.CommandLine;
using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Server.Cli;

/// <summary><c>pillarbox config …</c></summary>
internal static class ConfigCommands
{
    public static Command Create() => new("config", "Configuration: check, schema.") { Check(), Schema() };

    private static Command Check()
    {
        var options = new ConfigOptions();
        var command = new Command("check", "Check the configuration as 'run' would read it, without starting a node.");
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            options.Load(parsed);
            Console.WriteLine("good");
            return ExitCode.Good;
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Print the JSON schema of pillarbox.json.");
        command.SetAction(_ =>
        {
            Console.Write(ConfigSchema.Text);
            return ExitCode.Good;
        });
        return command;
    }
}
