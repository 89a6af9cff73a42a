using System.CommandLine;
using System.Globalization;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>Where a server is that is named HOST:PORT, and as whom to log in. Immutable.</summary>
internal sealed record PerfServer
{
    private const string UserVariable = "PILLARBOX_USER";

    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>The user; null: nobody logs in.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>The server does not let the user in: one line with what it says.</summary>
    public static CommandException Refused(string why) =>
        new(ExitCode.Denied, $"the server refuses the login: {why}");

    /// <summary>The flags, and how to make a server of what was given.</summary>
    /// <param name="defaultPort">The protocol's own port.</param>
    internal sealed class Flags(int defaultPort)
    {
        private readonly Option<string> _url = new("--url")
        {
            Description = "HOST:PORT of the server.",
            DefaultValueFactory = _ => $"127.0.0.1:{defaultPort}",
        };

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
            command.Options.Add(_url);
            command.Options.Add(_user);
            command.Options.Add(_passwordFile);
        }

        /// <summary>Throws <see cref="CommandException"/> for what cannot be read.</summary>
        public PerfServer Read(ParseResult parsed)
        {
            string url = parsed.GetValue(_url)!;
            int colon = url.LastIndexOf(':');
            int port = defaultPort;
            if (colon >= 0
                && !int.TryParse(url[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port))
            {
                throw new CommandException(ExitCode.Usage, $"--url {url}: write HOST:PORT");
            }

            string? user = parsed.GetValue(_user) ?? Environment.GetEnvironmentVariable(UserVariable);
            bool isNamed = !string.IsNullOrEmpty(user);
            return new PerfServer
            {
                Host = colon < 0 ? url : url[..colon].Trim('[', ']'),
                Port = port,
                User = isNamed ? user : null,
                Password = isNamed ? PasswordSource.Of(user!, parsed.GetValue(_passwordFile)) : null,
            };
        }
    }
}
