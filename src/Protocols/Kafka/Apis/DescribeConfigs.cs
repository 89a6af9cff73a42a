using System.Globalization;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Coordinators;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeConfigsRequest;
using static Pillarbox.Protocols.Kafka.Wire.Messages.DescribeConfigsResponse;

namespace Pillarbox.Protocols.Kafka.Apis;

/// <summary>DescribeConfigs: the settings of topics and groups, and the few of the node that clients look for.
/// </summary>
internal static class DescribeConfigsApi
{
    public static async ValueTask<DescribeConfigsResponse?> HandleAsync(ApiCall call, DescribeConfigsRequest request)
    {
        DescribeConfigsResource[] wanted =
            request.Resources.OnceBy(resource => (resource.ResourceType, resource.ResourceName));
        var results = new DescribeConfigsResult[wanted.Length];
        for (int i = 0; i < results.Length; i++)
        {
            results[i] = await DescribeAsync(call.Session, request, wanted[i]);
        }

        return new DescribeConfigsResponse { Results = results };
    }

    private static async ValueTask<DescribeConfigsResult> DescribeAsync(
        KafkaSession session, DescribeConfigsRequest request, DescribeConfigsResource wanted)
    {
        var result = new DescribeConfigsResult
        {
            ResourceType = wanted.ResourceType,
            ResourceName = wanted.ResourceName,
        };
        switch (wanted.ResourceType)
        {
            case ConfigResources.Topic:
                DescribeTopic(session, request, wanted, result);
                break;
            case ConfigResources.Broker:
                DescribeBroker(session, wanted, result);
                break;
            case ConfigResources.Group:
                await DescribeGroupAsync(session, request, wanted, result);
                break;
            case ConfigResources.BrokerLogger or ConfigResources.ClientMetrics:
                break;
            default:
                result.ErrorCode = (short)ErrorCode.InvalidRequest;
                result.ErrorMessage = $"resources of type {wanted.ResourceType} have no settings here";
                break;
        }

        return result;
    }

    private static void DescribeTopic(
        KafkaSession session, DescribeConfigsRequest request, DescribeConfigsResource wanted,
        DescribeConfigsResult result)
    {
        RecordStream? stream = session.Streams.Find(wanted.ResourceName);
        ErrorCode error = !session.MaySee(wanted.ResourceName) ? ErrorCode.TopicAuthorizationFailed
            : stream is null ? ErrorCode.UnknownTopicOrPartition
            : ErrorCode.None;
        result.ErrorCode = (short)error;
        if (error == ErrorCode.None)
        {
            StreamConfig config = stream!.Config;
            result.Configs =
            [
                .. StreamSetting.All.Values.Where(s => IsWanted(wanted, s.Name))
                    .OrderBy(s => s.Name, StringComparer.Ordinal).Select(setting => Setting(
                        setting, config.ValueOf(setting.Name), ConfigResources.SourceOf(config, setting), request)),
            ];
        }
    }

    private static async ValueTask DescribeGroupAsync(
        KafkaSession session, DescribeConfigsRequest request, DescribeConfigsResource wanted,
        DescribeConfigsResult result)
    {
        if (!session.MaySeeGroup(wanted.ResourceName))
        {
            result.ErrorCode = (short)ErrorCode.GroupAuthorizationFailed;
            return;
        }

        GroupConfig config = StreamCoordinators.AreInUse(session.Streams)
            ? await session.AskAsync<GroupConfig>((all, done) => all.Groups.GetConfig(wanted.ResourceName, done))
            : GroupConfig.Default;
        result.Configs =
        [
            .. GroupConfig.All.Values.Where(s => IsWanted(wanted, s.Name)).OrderBy(s => s.Name, StringComparer.Ordinal)
                .Select(setting => Setting(
                    setting, config.ValueOf(setting.Name),
                    config.Given.ContainsKey(setting.Name) ? ConfigResources.GivenForGroup : ConfigResources.Default,
                    request)),
        ];
    }

    private static DescribeConfigsResourceResult Setting(
        StreamSetting setting, string value, sbyte source, DescribeConfigsRequest request)
    {
        var synonyms = new List<DescribeConfigsSynonym>();
        if (request.IncludeSynonyms)
        {
            if (source != ConfigResources.Default)
            {
                synonyms.Add(new() { Name = setting.Name, Value = value, Source = source });
            }

            synonyms.Add(new() { Name = setting.Name, Value = setting.Default, Source = ConfigResources.Default });
        }

        return new()
        {
            Name = setting.Name,
            Value = value,
            IsDefault = source == ConfigResources.Default,
            ConfigSource = source,
            Synonyms = [.. synonyms],
            ConfigType = ConfigResources.TypeOf(setting.Type),
            Documentation = request.IncludeDocumentation ? setting.Description : null,
        };
    }

    private static void DescribeBroker(
        KafkaSession session, DescribeConfigsResource wanted, DescribeConfigsResult result)
    {
        string id = session.NodeId.ToString(CultureInfo.InvariantCulture);
        if (wanted.ResourceName.Length > 0 && wanted.ResourceName != id)
        {
            result.ErrorCode = (short)ErrorCode.InvalidRequest;
            result.ErrorMessage = $"there is one node, {id}";
            return;
        }

        if (!session.MayOnCluster(Permission.View))
        {
            result.ErrorCode = (short)ErrorCode.ClusterAuthorizationFailed;
            return;
        }

        result.Configs = wanted.ResourceName.Length == 0 ? [] :
        [
            .. ConfigResources.OfBroker(session.Environment.Options, session.Environment.Broker.CoordinatorLimits)
                .Where(s => IsWanted(wanted, s.Name))
                .Select(s => new DescribeConfigsResourceResult
                {
                    Name = s.Name,
                    Value = s.Value,
                    ReadOnly = true,
                    ConfigSource = ConfigResources.GivenForBroker,
                    ConfigType = ConfigResources.TypeOf(s.Type),
                    Documentation = null,
                }),
        ];
    }

    // No names at all stand for every name, whether there is a list or not.
    private static bool IsWanted(DescribeConfigsResource wanted, string name) =>
        wanted.ConfigurationKeys is not { Length: > 0 } names || names.Contains(name);
}
