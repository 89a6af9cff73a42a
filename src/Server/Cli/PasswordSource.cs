namespace Pillarbox.Server.Cli;

/// <summary>Where a login's password comes from: never from the command line itself.</summary>
internal static class PasswordSource
{
    /// <summary>The environment variable that holds it.</summary>
    public const string Variable = "PILLARBOX_PASSWORD";

    /// <summary>The first line of a file, if one is named; else the environment's; else it is asked for. Throws <see
    /// cref="CommandException"/> when there is nobody to ask.</summary>
    public static string Of(string user, string? file = null)
    {
        if (file is not null)
        {
            string text = CommandFiles.TryReadText(file)
                ?? throw new CommandException(ExitCode.Usage, $"cannot read the password file {file}");
            return text.Split('\n', 2)[0].TrimEnd('\r');
        }

        return Environment.GetEnvironmentVariable(Variable) ?? (Console.IsInputRedirected
            ? throw new CommandException(ExitCode.Usage, $"set {Variable} to the password of {user}")
            : SecretPrompt.Ask($"Password of {user}: "));
    }
}
