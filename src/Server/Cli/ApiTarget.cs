using System.CommandLine;

namespace Pillarbox.Server.Cli;

/// <summary>Which node's HTTP API to talk to and as whom: the flags that all verbs over the API share.</summary>
internal sealed record ApiTarget(Uri Url, string? User, string? Password)
{
    /// <summary>The address space; null: the user's own, else the default.</summary>
    public string? Space { get; init; }

    private const string UrlVariable = "PILLARBOX_URL";

    /// <summary>The flags, and how to make a target of what was given.</summary>
    internal sealed class Flags
    {
        private readonly Option<string> _url = new("--url")
        {
            Description = $"The node's HTTP listener (environment: {UrlVariable}; default http://127.0.0.1:8161).",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(UrlVariable) ?? "http://127.0.0.1:8161",
        };

        private readonly LoginFlags _login = new();

        private readonly Option<string?> _space = new("--space")
        {
            Description = $"The address space (environment: {AmqpTarget.SpaceVariable}; default: the user's own).",
        };

        public void AddTo(Command command)
        {
            command.Options.Add(_url);
            _login.AddTo(command);
            command.Options.Add(_space);
        }

        public ApiTarget Read(ParseResult parsed)
        {
            string text = parsed.GetValue(_url)!;
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https"))
            {
                throw new CommandException(ExitCode.Usage, $"'{text}' is no HTTP listener: write http://host:port");
            }

            (string? user, string? password) = _login.Read(parsed);
            string? space = parsed.GetValue(_space) ?? Environment.GetEnvironmentVariable(AmqpTarget.SpaceVariable);
            return new ApiTarget(url, user, password) { Space = string.IsNullOrEmpty(space) ? null : space };
        }
    }
}
