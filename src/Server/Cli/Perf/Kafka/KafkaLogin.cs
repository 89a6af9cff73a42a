using System.CommandLine;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Kafka.Client;
using Pillarbox.Server.Cli.Sockets;

namespace Pillarbox.Server.Cli.Perf.Kafka;

/// <summary>As whom a measurement connects, and whether over TLS. Immutable.</summary>
internal sealed record KafkaLogin
{
    private const string UserVariable = "PILLARBOX_USER";
    private const short UnsupportedMechanism = 33;

    /// <summary>Nobody, in plain text.</summary>
    public static KafkaLogin None { get; } = new();

    /// <summary>The user; null: no login.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.</summary>
    public string Mechanism { get; init; } = SaslServers.ScramSha256;

    /// <summary>What is trusted and shown; null: no TLS.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Logs in, if there is a user. Throws <see cref="CommandException"/>.</summary>
    public void Run(KafkaLink link)
    {
        if (User is null)
        {
            return;
        }

        var credentials = new SaslCredentials
        {
            User = User,
            Password = new Secret(Password ?? ""),
            Mechanism = Mechanism,
        };
        ISaslClient client = SaslClients.Choose([Mechanism], credentials, SystemRandom.Instance)
            ?? throw new CommandException(ExitCode.Usage, $"there is no login by {Mechanism}");
        link.Frames.WriteSaslHandshake(link.Output, 0, Mechanism);
        (short error, IReadOnlyList<string> offered) = KafkaFrames.ReadSaslHandshake(link.WaitForAnswer());
        if (error == UnsupportedMechanism)
        {
            throw new CommandException(
                ExitCode.Denied, $"the server has no login by {Mechanism}, but by {string.Join(", ", offered)}");
        }

        KafkaPerfRun.Check(error, "SaslHandshake");
        try
        {
            Exchange(link, client);
        }
        catch (SaslException e)
        {
            throw new CommandException(ExitCode.Denied, e.Message);
        }
    }

    private void Exchange(KafkaLink link, ISaslClient client)
    {
        bool isScram = Mechanism != SaslServers.Plain;
        byte[] token = client.Start();
        for (int step = 0; step < (isScram ? 2 : 1); step++)
        {
            link.Frames.WriteSaslAuthenticate(link.Output, step + 1, token);
            (short error, string? message, byte[] challenge) =
                KafkaFrames.ReadSaslAuthenticate(link.WaitForAnswer());
            if (error != 0)
            {
                throw new CommandException(
                    ExitCode.Denied, $"the server refuses the login of {User}: {message ?? $"error {error}"}");
            }

            if (step == 0 && isScram)
            {
                token = client.Step(challenge);
            }
            else
            {
                client.Finish(challenge);
            }
        }
    }

    /// <summary>The flags, and how to read them.</summary>
    internal sealed class Flags
    {
        private readonly Option<string?> _user = new("--user")
        {
            Description = $"Log in as this user (environment: {UserVariable}); the password comes from "
                + $"{PasswordSource.Variable} or is asked for.",
        };

        private readonly Option<string> _mechanism = new("--sasl")
        {
            Description = "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
            DefaultValueFactory = _ => SaslServers.ScramSha256,
        };

        private readonly Option<bool> _tls = new("--tls") { Description = "Connect with TLS." };

        private readonly Option<string?> _trust = new("--ca") { Description = "PEM file of the authorities to trust." };

        private readonly Option<string?> _certificate =
            new("--cert") { Description = "PEM file of an own certificate." };

        private readonly Option<string?> _key = new("--key") { Description = "PEM file of the certificate's key." };

        public void AddTo(Command command)
        {
            _mechanism.AcceptOnlyFromAmong(SaslServers.Plain, SaslServers.ScramSha256, SaslServers.ScramSha512);
            foreach (Option option in (Option[])[_user, _mechanism, _tls, _trust, _certificate, _key])
            {
                command.Options.Add(option);
            }
        }

        public KafkaLogin Read(ParseResult parsed)
        {
            string? user = parsed.GetValue(_user) ?? Environment.GetEnvironmentVariable(UserVariable);
            string? trust = parsed.GetValue(_trust);
            string? certificate = parsed.GetValue(_certificate);
            bool isTls = parsed.GetValue(_tls) || trust is not null || certificate is not null;
            return new KafkaLogin
            {
                User = string.IsNullOrEmpty(user) ? null : user,
                Password = string.IsNullOrEmpty(user) ? null : PasswordSource.Of(user),
                Mechanism = parsed.GetValue(_mechanism)!,
                Tls = isTls ? new TlsOptions(trust, certificate, parsed.GetValue(_key)) : null,
            };
        }
    }
}
