using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Pillarbox.Storage;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterUserScramCredentialsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.AlterUserScramCredentialsResponse;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeUserScramCredentialsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// DescribeUserScramCredentials and AlterUserScramCredentials: verifiers of the node's users. A name that is new
/// becomes a user without roles; a verifier that is set takes the place of the password, which PLAIN then no longer
/// knows.
/// </summary>
internal static class ScramCredentialsApi
{
    private const Permission Needed = Permission.Edit | Permission.Manage;

    private static readonly string[] Mechanisms = ["", SaslServers.ScramSha256, SaslServers.ScramSha512];

    public static ValueTask<DescribeUserScramCredentialsResponse?> DescribeAsync(
        ApiCall call, DescribeUserScramCredentialsRequest request)
    {
        KafkaSession session = call.Session;
        if (Check(session, Permission.View) is var error && error != ErrorCode.None)
        {
            return new(new DescribeUserScramCredentialsResponse { ErrorCode = (short)error });
        }

        Dictionary<string, CredentialInfo[]> known = session.Environment.Sasl.Users!.ListScram()
            .GroupBy(scram => scram.User, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Select(Info).ToArray(), StringComparer.Ordinal);
        IEnumerable<string> names = request.Users is { Length: > 0 } asked
            ? asked.Select(user => user.Name)
            : known.Keys.Order(StringComparer.Ordinal);
        string[] wanted = [.. names];
        return new(new DescribeUserScramCredentialsResponse
        {
            Results = Array.ConvertAll(wanted, name => Describe(name, known, wanted.Count(n => n == name) > 1)),
        });
    }

    public static ValueTask<AlterUserScramCredentialsResponse?> AlterAsync(
        ApiCall call, AlterUserScramCredentialsRequest request)
    {
        KafkaSession session = call.Session;
        string[] names =
        [
            .. request.Deletions.Select(d => d.Name).Concat(request.Upsertions.Select(u => u.Name)).Distinct(),
        ];
        return new(new AlterUserScramCredentialsResponse
        {
            Results = Array.ConvertAll(names, name =>
            {
                (ErrorCode error, string? message) = Alter(
                    session,
                    Array.FindAll(request.Deletions, d => d.Name == name),
                    Array.FindAll(request.Upsertions, u => u.Name == name));
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
        if (Check(session, Needed) is var refusal && refusal != ErrorCode.None)
        {
            return (refusal, null);
        }

        if (!session.Sasl.IsLinkTrusted)
        {
            return (ErrorCode.UnacceptableCredential, "credentials are set over TLS only");
        }

        sbyte[] mechanisms = [.. deletions.Select(d => d.Mechanism), .. upsertions.Select(u => u.Mechanism)];
        if (mechanisms.Any(m => m is < 1 or > 2))
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
                [.. deletions.Select(d => new ScramChange(d.Name, Mechanisms[d.Mechanism], null)),
                .. upsertions.Select(u => new ScramChange(
                    u.Name, Mechanisms[u.Mechanism], new(u.Iterations, u.Salt, u.SaltedPassword)))]);
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

    private static DescribeUserScramCredentialsResult Describe(
        string name, Dictionary<string, CredentialInfo[]> known, bool isTwice)
    {
        bool isThere = known.TryGetValue(name, out CredentialInfo[]? infos);
        ErrorCode error = isTwice ? ErrorCode.DuplicateResource
            : isThere ? ErrorCode.None
            : ErrorCode.ResourceNotFound;
        return new()
        {
            User = name,
            ErrorCode = (short)error,
            ErrorMessage = isThere ? null : $"There is no SCRAM credential of user {name}.",
            CredentialInfos = error == ErrorCode.None ? infos! : [],
        };
    }

    private static CredentialInfo Info(ScramView scram) => new()
    {
        Mechanism = (sbyte)Array.IndexOf(Mechanisms, scram.Mechanism),
        Iterations = scram.Iterations,
    };

    // The node's users are all tenants': who belongs to one does not see them.
    private static ErrorCode Check(KafkaSession session, Permission permission) =>
        session.Environment.Sasl.Users is null ? ErrorCode.SecurityDisabled
        : session.Identity!.AddressSpace is not null || !session.MayOnCluster(permission)
            ? ErrorCode.ClusterAuthorizationFailed
        : ErrorCode.None;
}
