using System.CommandLine;

namespace Pillarbox.Server.Cli;

/// <summary><c>--user</c> and <c>--password-file</c>: as whom a verb logs in.</summary>
internal sealed class LoginFlags
{
    private const string UserVariable = "PILLARBOX_USER";

    private readonly Option<string?> _user = new("--user")
    {
        Description = $"Log in as this user (environment: {UserVariable}).",
    };

    private readonly Option<string?> _passwordFile = new("--password-file")
    {
        Description =
            $"A file whose first line is the password (else {PasswordSource.Variable}, else it is asked for).",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_user);
        command.Options.Add(_passwordFile);
    }

    /// <summary>The user and the password; both null: nobody logs in. Throws <see cref="CommandException"/> when there
    /// is a user and nobody to ask for the password.</summary>
    public (string? User, string? Password) Read(ParseResult parsed)
    {
        string? user = parsed.GetValue(_user) ?? Environment.GetEnvironmentVariable(UserVariable);
        return string.IsNullOrEmpty(user)
            ? (null, null)
            : (user, PasswordSource.Of(user, parsed.GetValue(_passwordFile)));
    }
}
