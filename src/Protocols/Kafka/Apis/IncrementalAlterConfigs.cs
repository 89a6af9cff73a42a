using Pillarbox.Broker.Streams;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>IncrementalAlterConfigs: sets, removes, or adds to and takes from lists; the rest stays.</summary>
internal static class IncrementalAlterConfigsApi
{
    private const sbyte Set = 0;
    private const sbyte Delete = 1;
    private const sbyte Append = 2;
    private const sbyte Subtract = 3;

    public static async ValueTask<IncrementalAlterConfigsResponse?> HandleAsync(
        ApiCall call, IncrementalAlterConfigsRequest request)
    {
        var responses = new IncrementalAlterConfigsResponse.AlterConfigsResourceResponse[request.Resources.Length];
        for (int i = 0; i < responses.Length; i++)
        {
            IncrementalAlterConfigsRequest.AlterConfigsResource wanted = request.Resources[i];
            (ErrorCode error, string? message) = await ConfigChange.ApplyAsync(
                call.Session, wanted.ResourceType, wanted.ResourceName, given => Change(given, wanted),
                request.ValidateOnly);
            responses[i] = new()
            {
                ErrorCode = (short)error,
                ErrorMessage = message,
                ResourceType = wanted.ResourceType,
                ResourceName = wanted.ResourceName,
            };
        }

        return new IncrementalAlterConfigsResponse { Responses = responses };
    }

    private static string? Change(
        Dictionary<string, string> given, IncrementalAlterConfigsRequest.AlterConfigsResource wanted)
    {
        foreach (IncrementalAlterConfigsRequest.AlterableConfig change in wanted.Configs)
        {
            if (ConfigResources.SettingsOf(wanted.ResourceType)?.TryGetValue(
                change.Name, out StreamSetting? setting) != true)
            {
                return $"there is no setting '{change.Name}'";
            }

            if (change.Value is null && change.ConfigOperation != Delete)
            {
                return $"'{change.Name}' has no value";
            }

            if (change.ConfigOperation is Append or Subtract && setting!.Type != SettingType.List)
            {
                return $"'{change.Name}' is no list";
            }

            if (!Apply(given, setting!, change))
            {
                return $"there is no operation {change.ConfigOperation}";
            }
        }

        return null;
    }

    private static bool Apply(
        Dictionary<string, string> given, StreamSetting setting,
        IncrementalAlterConfigsRequest.AlterableConfig change)
    {
        string[] words = Words(given.GetValueOrDefault(setting.Name) ?? setting.Default);
        string[] named = Words(change.Value ?? "");
        switch (change.ConfigOperation)
        {
            case Set:
                given[setting.Name] = change.Value!;
                return true;
            case Delete:
                given.Remove(setting.Name);
                return true;
            case Append:
                given[setting.Name] = string.Join(',', words.Union(named, StringComparer.Ordinal));
                return true;
            case Subtract:
                given[setting.Name] = string.Join(',', words.Except(named, StringComparer.Ordinal));
                return true;
            default:
                return false;
        }
    }

    private static string[] Words(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
