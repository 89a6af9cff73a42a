using System.Text.Json;
using System.Text.Json.Serialization;
using Pillarbox.Broker.Addresses;
using Pillarbox.Model;

namespace Pillarbox.ConsoleApi;

/// <summary>Everything that travels as JSON, known at build time. The command line reads with it too.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    MaxDepth = 16,
    Converters = [typeof(CamelCaseEnum<RoutingType>), typeof(CamelCaseEnum<AddressFullPolicy>)])]
[JsonSerializable(typeof(Page<QueueResource>))]
[JsonSerializable(typeof(Page<AddressResource>))]
[JsonSerializable(typeof(Page<ConnectionResource>))]
[JsonSerializable(typeof(Page<ConsumerResource>))]
[JsonSerializable(typeof(Page<QuarantineResource>))]
[JsonSerializable(typeof(Page<AccessRuleResource>))]
[JsonSerializable(typeof(IReadOnlyList<AccessRuleResource>))]
[JsonSerializable(typeof(Page<QuotaResource>))]
[JsonSerializable(typeof(Page<TransactionResource>))]
[JsonSerializable(typeof(IReadOnlyList<MessageResource>))]
[JsonSerializable(typeof(Page<StreamResource>))]
[JsonSerializable(typeof(Page<GroupResource>))]
[JsonSerializable(typeof(GroupChange))]
[JsonSerializable(typeof(QueueCreation))]
[JsonSerializable(typeof(StreamCreation))]
[JsonSerializable(typeof(StreamChange))]
[JsonSerializable(typeof(StreamReading))]
[JsonSerializable(typeof(StreamRecords))]
[JsonSerializable(typeof(IReadOnlyList<StreamOffset>))]
[JsonSerializable(typeof(OffsetReset))]
[JsonSerializable(typeof(OffsetResetResult))]
[JsonSerializable(typeof(QueueRewind))]
[JsonSerializable(typeof(MessagesTouched))]
[JsonSerializable(typeof(NodeResourceView))]
[JsonSerializable(typeof(RouterResource))]
[JsonSerializable(typeof(Page<RouterNodeResource>))]
[JsonSerializable(typeof(Page<RouterLinkResource>))]
[JsonSerializable(typeof(Page<RouterAddressResource>))]
[JsonSerializable(typeof(Page<RouterConnectionResource>))]
[JsonSerializable(typeof(IReadOnlyList<RouterHopResource>))]
[JsonSerializable(typeof(RouterTraceResource))]
[JsonSerializable(typeof(System.Text.Json.Nodes.JsonArray))]
[JsonSerializable(typeof(System.Text.Json.Nodes.JsonObject))]
[JsonSerializable(typeof(Problem))]
public sealed partial class ApiJson : JsonSerializerContext;

/// <summary>Enumerations are written as the names of their members in camel case; numbers are refused.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, false)
    where T : struct, Enum;
