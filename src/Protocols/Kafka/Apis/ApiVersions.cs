using System.Text.RegularExpressions;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>
/// ApiVersions: what the node speaks. A version that it does not know is answered in version 0 with error 35 and the
/// list, for the client to try again; the answer's header is version 0 always.
/// </summary>
internal static partial class ApiVersionsApi
{
    /// <summary>Groups of KIP-848; transactions of KIP-890, in which each has an epoch of its own.</summary>
    public static readonly ApiVersionsResponse.SupportedFeatureKey[] Features =
    [
        new() { Name = "group.version", MinVersion = 0, MaxVersion = 1 },
        new() { Name = "share.version", MinVersion = 0, MaxVersion = 1 },
        new() { Name = "transaction.version", MinVersion = 0, MaxVersion = 2 },
    ];

    public static ValueTask<ApiVersionsResponse?> HandleAsync(ApiCall call, ApiVersionsRequest request)
    {
        if (call.Version >= 3
            && !(IsName(request.ClientSoftwareName) && IsName(request.ClientSoftwareVersion)))
        {
            return new(new ApiVersionsResponse { ErrorCode = (short)ErrorCode.InvalidRequest });
        }

        KafkaOptions options = call.Session.Environment.Options;
        bool elsewhere = (request.ClusterId is not null && request.ClusterId != options.ClusterId)
            || (request.NodeId >= 0 && request.NodeId != options.NodeId);
        ApiVersionsResponse described = Describe(elsewhere ? ErrorCode.RebootstrapRequired : ErrorCode.None);
        // Clients of version 3 fail over a feature whose least level is 0 (KAFKA-17011).
        described.SupportedFeatures = call.Version > 3 ? Features : [];
        return new(described);
    }

    /// <summary>The answer to a version that is not known.</summary>
    public static ApiCall Fallback(KafkaSession session, RequestHeader header)
    {
        var call = new ApiCall<ApiVersionsResponse>(session, header with { Version = 0 });
        call.Begin(new ValueTask<ApiVersionsResponse?>(Describe(ErrorCode.UnsupportedVersion)));
        return call;
    }

    private static ApiVersionsResponse Describe(ErrorCode error) => new()
    {
        ErrorCode = (short)error,
        ApiKeys =
        [
            .. ApiTable.All.Select(entry => new ApiVersionsResponse.ApiVersion
            {
                ApiKey = (short)entry.Key,
                MinVersion = entry.VersionMin,
                MaxVersion = entry.VersionMax,
            }),
        ],
        FinalizedFeaturesEpoch = 0,
        FinalizedFeatures =
        [
            .. Features.Select(feature => new ApiVersionsResponse.FinalizedFeatureKey
            {
                Name = feature.Name,
                MinVersionLevel = feature.MaxVersion,
                MaxVersionLevel = feature.MaxVersion,
            }),
        ],
    };

    private static bool IsName(string text) => NamePattern().IsMatch(text);

    [GeneratedRegex("^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$", RegexOptions.NonBacktracking)]
    private static partial Regex NamePattern();
}
