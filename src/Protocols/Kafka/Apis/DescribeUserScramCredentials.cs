using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeUserScramCredentialsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeUserScramCredentials: which mechanisms the node's users have verifiers for.</summary>
internal static class DescribeUserScramCredentialsApi
{
    public static ValueTask<DescribeUserScramCredentialsResponse?> HandleAsync(
        ApiCall call, DescribeUserScramCredentialsRequest request)
    {
        KafkaSession session = call.Session;
        if (ScramMechanisms.Check(session, Permission.View) is var error && error != ErrorCode.None)
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
        HashSet<string> twice = wanted.Twice(name => name);
        return new(new DescribeUserScramCredentialsResponse
        {
            Results = Array.ConvertAll(wanted, name => Describe(name, known, twice.Contains(name))),
        });
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
        Mechanism = (sbyte)ScramMechanisms.NumberOf(scram.Mechanism),
        Iterations = scram.Iterations,
    };
}
