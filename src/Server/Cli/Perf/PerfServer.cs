using System.CommandLine;
using System.Globalization;

namespace Pillarbox.Server.Cli.Perf;

/// <summary>Where a server is that is named HOST:PORT, and as whom to log in. Immutable.</summary>
internal sealed record PerfServer
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>The user; null: nobody logs in.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>The server does not let the user in: one line with what it says.</summary>
    public static CommandException Refused(string why) =>
        new(ExitCode.Denied, $"the server refuses the login: {why}");

    /// <summary>Reads HOST:PORT, or HOST alone. Throws <see cref="CommandException"/>.</summary>
    public static (string Host, int Port) PlaceOf(string url, int defaultPort)
    {
        int colon = url.LastIndexOf(':');
        if (colon < 0)
        {
            return (url, defaultPort);
        }

        return int.TryParse(url[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            ? (url[..colon].Trim('[', ']'), port)
            : throw new CommandException(ExitCode.Usage, $"--url {url}: write HOST:PORT");
    }

    /// <summary>The flags, and how to make a server of what was given.</summary>
    /// <param name="defaultPort">The protocol's own port.</param>
    internal sealed class Flags(int defaultPort)
    {
        private readonly Option<string> _url = new("--url")
        {
            Description = "HOST:PORT of the server.",
            DefaultValueFactory = _ => $"127.0.0.1:{defaultPort}",
        };

        private readonly LoginFlags _login = new();

        public void AddTo(Command command)
        {
            command.Options.Add(_url);
            _login.AddTo(command);
        }

        /// <summary>Throws <see cref="CommandException"/> for what cannot be read.</summary>
        public PerfServer Read(ParseResult parsed)
        {
            (string host, int port) = PlaceOf(parsed.GetValue(_url)!, defaultPort);
            (string? user, string? password) = _login.Read(parsed);
            return new PerfServer { Host = host, Port = port, User = user, Password = password };
        }
    }
}
