using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Pillarbox.Storage;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterUserScramCredentialsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterUserScramCredentialsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// AlterUserScramCredentials: verifiers of the node's users. A name that is new becomes a user without roles; a
/// verifier that is set takes the place of the password, which PLAIN then no longer knows.
/// </summary>
internal static class AlterUserScramCredentialsApi
{
    private const Permission Needed = Permission.Edit | Permission.Manage;

    public static ValueTask<AlterUserScramCredentialsResponse?> HandleAsync(
        ApiCall call, AlterUserScramCredentialsRequest request)
    {
        KafkaSession session = call.Session;
        ILookup<string, ScramCredentialDeletion> deletions = request.Deletions.ToLookup(d => d.Name);
        ILookup<string, ScramCredentialUpsertion> upsertions = request.Upsertions.ToLookup(u => u.Name);
        string[] names = [.. deletions.Select(d => d.Key).Concat(upsertions.Select(u => u.Key)).Distinct()];
        return new(new AlterUserScramCredentialsResponse
        {
            Results = Array.ConvertAll(names, name =>
            {
                (ErrorCode error, string? message) = Alter(session, [.. deletions[name]], [.. upsertions[name]]);
                return new AlterUserScramCredentialsResult
                {
                    User = name,
                    ErrorCode = (short)error,
                    ErrorMessage = message,
                };
            }),
        });
    }

    private static (ErrorCode Error, string? Message) Alter(
        KafkaSession session, ScramCredentialDeletion[] deletions, ScramCredentialUpsertion[] upsertions)
    {
        if (ScramMechanisms.Check(session, Needed) is var refusal && refusal != ErrorCode.None)
        {
            return (refusal, null);
        }

        if (!session.Sasl.IsLinkTrusted)
        {
            return (ErrorCode.UnacceptableCredential, "credentials are set over TLS only");
        }

        sbyte[] mechanisms = [.. deletions.Select(d => d.Mechanism), .. upsertions.Select(u => u.Mechanism)];
        if (!mechanisms.All(ScramMechanisms.IsKnown))
        {
            return (ErrorCode.UnsupportedSaslMechanism, null);
        }

        if (mechanisms.Distinct().Count() != mechanisms.Length)
        {
            return (ErrorCode.DuplicateResource, "a credential is changed twice");
        }

        try
        {
            session.Environment.Sasl.Users!.ChangeScram(
                [.. deletions.Select(d => new ScramChange(d.Name, ScramMechanisms.NameOf(d.Mechanism), null)),
                .. upsertions.Select(u => new ScramChange(
                    u.Name, ScramMechanisms.NameOf(u.Mechanism), new(u.Iterations, u.Salt, u.SaltedPassword)))]);
            return (ErrorCode.None, null);
        }
        catch (BrokerException e)
        {
            ErrorCode error = e.Error == BrokerError.NotFound
                ? ErrorCode.ResourceNotFound
                : ErrorCode.UnacceptableCredential;
            return (error, e.Message);
        }
        catch (StorageException e)
        {
            return (ErrorCode.KafkaStorageError, e.Message);
        }
    }
}
