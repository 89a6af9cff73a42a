using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>AlterConfigs: the settings named become all that are given; the others go back to their defaults.</summary>
internal static class AlterConfigsApi
{
    public static async ValueTask<AlterConfigsResponse?> HandleAsync(ApiCall call, AlterConfigsRequest request)
    {
        var responses = new AlterConfigsResponse.AlterConfigsResourceResponse[request.Resources.Length];
        for (int i = 0; i < responses.Length; i++)
        {
            AlterConfigsRequest.AlterConfigsResource wanted = request.Resources[i];
            (ErrorCode error, string? message) = await ConfigChange.ApplyAsync(
                call.Session, wanted.ResourceType, wanted.ResourceName, given => Replace(given, wanted),
                request.ValidateOnly);
            responses[i] = new()
            {
                ErrorCode = (short)error,
                ErrorMessage = message,
                ResourceType = wanted.ResourceType,
                ResourceName = wanted.ResourceName,
            };
        }

        return new AlterConfigsResponse { Responses = responses };
    }

    private static string? Replace(Dictionary<string, string> given, AlterConfigsRequest.AlterConfigsResource wanted)
    {
        given.Clear();
        foreach (AlterConfigsRequest.AlterableConfig setting in wanted.Configs)
        {
            if (setting.Value is null)
            {
                return $"'{setting.Name}' has no value";
            }

            given[setting.Name] = setting.Value;
        }

        return null;
    }
}
