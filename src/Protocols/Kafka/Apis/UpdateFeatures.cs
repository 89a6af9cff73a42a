using Pillarbox.Broker.Security;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.UpdateFeaturesRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.UpdateFeaturesResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>UpdateFeatures: a node always has the newest level of what it supports. To ask for that level is right, any
/// other is refused.</summary>
internal static class UpdateFeaturesApi
{
    private const short FirstVersionWithoutResults = 2;

    public static ValueTask<UpdateFeaturesResponse?> HandleAsync(ApiCall call, UpdateFeaturesRequest request)
    {
        if (!call.Session.MayOnCluster(Permission.Manage))
        {
            return new(new UpdateFeaturesResponse { ErrorCode = (short)ErrorCode.ClusterAuthorizationFailed });
        }

        UpdatableFeatureResult[] results = Array.ConvertAll(request.FeatureUpdates, Check);
        UpdatableFeatureResult? wrong = Array.Find(results, r => r.ErrorCode != 0);
        bool whole = call.Version >= FirstVersionWithoutResults && wrong is not null;
        return new(new UpdateFeaturesResponse
        {
            ErrorCode = whole ? wrong!.ErrorCode : (short)0,
            ErrorMessage = whole ? wrong!.ErrorMessage : null,
            Results = results,
        });
    }

    private static UpdatableFeatureResult Check(FeatureUpdateKey wanted)
    {
        short? level = Array.Find(ApiVersionsApi.Features, f => f.Name == wanted.Feature)?.MaxVersion;
        string? message = level is null ? $"feature '{wanted.Feature}' is not supported"
            : wanted.MaxVersionLevel != level ? $"feature '{wanted.Feature}' is at level {level} and stays there"
            : null;
        return new()
        {
            Feature = wanted.Feature,
            ErrorCode = (short)(message is null ? ErrorCode.None : ErrorCode.InvalidUpdateVersion),
            ErrorMessage = message,
        };
    }
}
