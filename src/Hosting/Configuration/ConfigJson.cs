using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.LinkState;

namespace Pillarbox.Hosting.Configuration;

/// <summary>The shape of <c>pillarbox.json</c>, known at build time: no reflection when it is read.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    PropertyNameCaseInsensitive = true,
    DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters =
    [
        typeof(CamelCaseEnum<RoutingType>), typeof(CamelCaseEnum<AddressFullPolicy>), typeof(CamelCaseEnum<Permission>),
        typeof(CamelCaseEnum<LogLevel>), typeof(CamelCaseEnum<LogFormat>), typeof(CamelCaseEnum<ListenerProtocol>),
        typeof(CamelCaseEnum<ClientCertificateMode>), typeof(CamelCaseEnum<ConnectionRole>),
        typeof(CamelCaseEnum<RouterMode>), typeof(CamelCaseEnum<AddressTreatment>),
        typeof(CamelCaseEnum<LinkDirection>),
    ])]
[JsonSerializable(typeof(PillarboxConfig))]
internal sealed partial class ConfigJson : JsonSerializerContext;

/// <summary>Enumerations are written as the names of their members in camel case; numbers are refused.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, false)
    where T : struct, Enum;
