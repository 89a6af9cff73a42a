using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>What a client has to log in with. Immutable.</summary>
public sealed record SaslCredentials
{
    /// <summary>The user; null: nobody.</summary>
    public string? User { get; init; }

    /// <summary>The password; null: none.</summary>
    public Secret? Password { get; init; }

    /// <summary>Whether the TLS connection has presented a certificate of ours.</summary>
    public bool HasCertificate { get; init; }

    /// <summary>Use this mechanism or none; null: the strongest that both sides have.</summary>
    public string? Mechanism { get; init; }
}

/// <summary>Chooses the client's mechanism.</summary>
public static class SaslClients
{
    /// <summary>The strongest offered mechanism that the credentials can do; null when there is none.</summary>
    public static ISaslClient? Choose(IReadOnlyList<string> offered, SaslCredentials credentials, IRandom random)
    {
        string[] preferred =
        [
            SaslServers.External, SaslServers.ScramSha512, SaslServers.ScramSha256, SaslServers.Plain,
            SaslServers.Anonymous,
        ];
        foreach (string mechanism in preferred)
        {
            bool wanted = credentials.Mechanism is null || credentials.Mechanism == mechanism;
            if (wanted && offered.Contains(mechanism) && Create(mechanism, credentials, random) is { } client)
            {
                return client;
            }
        }

        return null;
    }

    private static ISaslClient? Create(string mechanism, SaslCredentials credentials, IRandom random)
    {
        if (mechanism == SaslServers.External)
        {
            return credentials.HasCertificate ? new OneStepClient(mechanism, []) : null;
        }

        if (credentials is not { User: { } user, Password: { } password })
        {
            return mechanism == SaslServers.Anonymous ? new OneStepClient(mechanism, "anonymous"u8.ToArray()) : null;
        }

        return mechanism switch
        {
            SaslServers.ScramSha512 => new ScramClient(ScramHash.Sha512, user, password, random),
            SaslServers.ScramSha256 => new ScramClient(ScramHash.Sha256, user, password, random),
            SaslServers.Plain => new OneStepClient(mechanism, PlainResponse(user, password)),

            // Who has a password does not want to be nobody by accident; nobody is then to be asked for by name.
            _ => credentials.Mechanism == mechanism ? new OneStepClient(mechanism, []) : null,
        };
    }

    private static byte[] PlainResponse(string user, Secret password) =>
        [0, .. Encoding.UTF8.GetBytes(user), 0, .. password.Reveal()];
}

/// <summary>Mechanisms whose client says one thing: ANONYMOUS, PLAIN and EXTERNAL.</summary>
internal sealed class OneStepClient(string mechanism, byte[] response) : ISaslClient
{
    private bool _sent;

    public string Mechanism => mechanism;

    public byte[] Start()
    {
        _sent = true;
        return response;
    }

    public byte[] Step(ReadOnlySpan<byte> challenge)
    {
        // A server may ask for the response again when it did not take it with the mechanism's name.
        if (!challenge.IsEmpty || !_sent)
        {
            throw new SaslException($"the server sent a challenge that {mechanism} does not have");
        }

        _sent = false;
        return response;
    }

    public void Finish(ReadOnlySpan<byte> additionalData)
    {
    }
}
