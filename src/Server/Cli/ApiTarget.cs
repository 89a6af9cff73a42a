using System.CommandLine;

namespace Pillarbox.Server.Cli;

/// <summary>Which node's HTTP API to talk to and as whom: the flags that all verbs over the API share.</summary>
internal sealed record ApiTarget(Uri Url, string? User, string? Password)
{
    /// <summary>The address space; null: the user's own, else the default.</summary>
    public string? Space { get; init; }

    private const string UrlVariable = "PILLARBOX_URL";
    private const string UserVariable = "PILLARBOX_USER";

    /// <summary>The flags, and how to make a target of what was given.</summary>
    internal sealed class Flags
    {
        private readonly Option<string> _url = new("--url")
        {
            Description = $"The node's HTTP listener (environment: {UrlVariable}; default http://127.0.0.1:8161).",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(UrlVariable) ?? "http://127.0.0.1:8161",
        };

        private readonly Option<string?> _user = new("--user")
        {
            Description = $"Log in as this user (environment: {UserVariable}).",
        };

        private readonly Option<string?> _space = new("--space")
        {
            Description = $"The address space (environment: {AmqpTarget.SpaceVariable}; default: the user's own).",
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
            command.Options.Add(_space);
            command.Options.Add(_passwordFile);
        }

        public ApiTarget Read(ParseResult parsed)
        {
            string text = parsed.GetValue(_url)!;
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https"))
            {
                throw new CommandException(ExitCode.Usage, $"'{text}' is no HTTP listener: write http://host:port");
            }

            string? user = parsed.GetValue(_user) ?? Environment.GetEnvironmentVariable(UserVariable);
            string? space = parsed.GetValue(_space) ?? Environment.GetEnvironmentVariable(AmqpTarget.SpaceVariable);
            ApiTarget target = string.IsNullOrEmpty(user)
                ? new ApiTarget(url, null, null)
                : new ApiTarget(url, user, PasswordSource.Of(user, parsed.GetValue(_passwordFile)));
            return target with { Space = string.IsNullOrEmpty(space) ? null : space };
        }
    }
}
