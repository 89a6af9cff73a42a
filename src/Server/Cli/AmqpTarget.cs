using System.CommandLine;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli;

/// <summary>Which AMQP server to talk to and as whom: the flags that send, receive and perf share.</summary>
internal sealed record AmqpTarget
{
    /// <summary>Names the address space for all verbs.</summary>
    public const string SpaceVariable = "PILLARBOX_SPACE";

    private const string UrlVariable = "PILLARBOX_AMQP_URL";
    private const string UserVariable = "PILLARBOX_USER";

    public required Uri Url { get; init; }

    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>The address space; null: the user's own, else the default.</summary>
    public string? Space { get; init; }

    public TlsOptions Tls { get; init; } = new();

    /// <summary>How long connecting, logging in and attaching may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    public bool IsTls => Url.Scheme == "amqps";

    public int Port => Url.Port > 0 ? Url.Port : IsTls ? 5671 : 5672;

    public string HostAndPort => $"{Url.Host}:{Port}";

    /// <summary>The same at another node.</summary>
    public AmqpTarget At(string url) => this with { Url = UrlOf(url) };

    private static Uri UrlOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme is "amqp" or "amqps")
            ? url
            : throw new CommandException(ExitCode.Usage, $"'{text}' is no server: write amqp://host:port");

    /// <summary>A connection's options; each connection needs its own, for a login is used once.</summary>
    public ClientOptions OptionsFor(string containerId) => new()
    {
        ContainerId = containerId,
        Hostname = Space is null ? Url.Host : $"vhost:{Space}",
        Credentials = new SaslCredentials
        {
            User = User,
            Password = Password is null ? null : new Secret(Password),
            HasCertificate = Tls.CertificateFile is not null,
        },
    };

    /// <summary>The flags, and how to make a target of what was given.</summary>
    internal sealed class Flags
    {
        private readonly Option<string> _url = new("--url")
        {
            Description = $"The server: amqp://[user@]host[:port] or amqps://… (environment: {UrlVariable}).",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable(UrlVariable) ?? "amqp://127.0.0.1:5672",
        };

        private readonly Option<string?> _user = new("--user")
        {
            Description =
                $"Log in as this user (environment: {UserVariable}); the password comes from {PasswordSource.Variable} "
                + "or is asked for.",
        };

        private readonly Option<string?> _space = new("--space")
        {
            Description = $"The address space (environment: {SpaceVariable}; default: the user's own).",
        };

        private readonly Option<string?> _trust = new("--ca") { Description = "PEM file of the authorities to trust." };

        private readonly Option<string?> _certificate =
            new("--cert") { Description = "PEM file of an own certificate." };

        private readonly Option<string?> _key = new("--key") { Description = "PEM file of the certificate's key." };

        public void AddTo(Command command)
        {
            foreach (Option option in new Option[] { _url, _user, _space, _trust, _certificate, _key })
            {
                command.Options.Add(option);
            }
        }

        public AmqpTarget Read(ParseResult parsed)
        {
            string text = parsed.GetValue(_url)!;
            Uri url = UrlOf(text);
            string[] login = url.UserInfo.Split(':', 2);
            string? user = parsed.GetValue(_user) ?? NullIfEmpty(Uri.UnescapeDataString(login[0]))
                ?? NullIfEmpty(Environment.GetEnvironmentVariable(UserVariable));
            string? inUrl = login.Length > 1 ? Uri.UnescapeDataString(login[1]) : null;
            return new AmqpTarget
            {
                Url = url,
                User = user,
                Space = NullIfEmpty(
                    parsed.GetValue(_space) ?? Environment.GetEnvironmentVariable(SpaceVariable)),
                Password = user is null ? null : inUrl ?? PasswordSource.Of(user),
                Tls = new TlsOptions(parsed.GetValue(_trust), parsed.GetValue(_certificate), parsed.GetValue(_key)),
            };
        }

        private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
    }
}
