using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Pillarbox.Hosting.Configuration;

/// <summary>
/// Completes a document with the defaults of its records. The serializer's generated code sets every init-only
/// property, so one
/// that the document does not mention would otherwise lose the default that its record declares.
/// </summary>
internal static class ConfigDefaults
{
    private static readonly Dictionary<Type, JsonObject> ByType = new()
    {
        [typeof(PillarboxConfig)] = Write(new PillarboxConfig(), ConfigJson.Default.PillarboxConfig),
        [typeof(ListenerConfig)] = Write(new ListenerConfig(), ConfigJson.Default.ListenerConfig),
        [typeof(ConnectionsConfig)] = Write(new ConnectionsConfig(), ConfigJson.Default.ConnectionsConfig),
        [typeof(LoginServiceConfig)] = Write(new LoginServiceConfig(), ConfigJson.Default.LoginServiceConfig),
        [typeof(ClientNamesConfig)] = Write(new ClientNamesConfig(), ConfigJson.Default.ClientNamesConfig),
        [typeof(AddressSpaceConfig)] = Write(new AddressSpaceConfig(), ConfigJson.Default.AddressSpaceConfig),
        [typeof(AutoLinkConfig)] = Write(new AutoLinkConfig(), ConfigJson.Default.AutoLinkConfig),
        [typeof(TlsConfig)] = Write(new TlsConfig(), ConfigJson.Default.TlsConfig),
        [typeof(QueueEntryConfig)] = Write(new QueueEntryConfig(), ConfigJson.Default.QueueEntryConfig),
        [typeof(SecuritySection)] = Write(new SecuritySection(), ConfigJson.Default.SecuritySection),
        [typeof(TokenSection)] = Write(new TokenSection(), ConfigJson.Default.TokenSection),
        [typeof(RouterSection)] = Write(new RouterSection(), ConfigJson.Default.RouterSection),
        [typeof(RouterAddressConfig)] =
            Write(new RouterAddressConfig(), ConfigJson.Default.RouterAddressConfig),
        [typeof(ConnectorConfig)] = Write(new ConnectorConfig(), ConfigJson.Default.ConnectorConfig),
        [typeof(RouterPolicyConfig)] = Write(new RouterPolicyConfig(), ConfigJson.Default.RouterPolicyConfig),
        [typeof(VhostConfig)] = Write(new VhostConfig(), ConfigJson.Default.VhostConfig),
        [typeof(VhostGroupConfig)] = Write(new VhostGroupConfig(), ConfigJson.Default.VhostGroupConfig),
        [typeof(ConnectorTlsConfig)] = Write(new ConnectorTlsConfig(), ConfigJson.Default.ConnectorTlsConfig),
        [typeof(ConnectorProxyConfig)] = Write(new ConnectorProxyConfig(), ConfigJson.Default.ConnectorProxyConfig),
        [typeof(LimitsConfig)] = Write(new LimitsConfig(), ConfigJson.Default.LimitsConfig),
        [typeof(ProtocolsConfig)] = Write(new ProtocolsConfig(), ConfigJson.Default.ProtocolsConfig),
        [typeof(MqttConfig)] = Write(new MqttConfig(), ConfigJson.Default.MqttConfig),
        [typeof(StompConfig)] = Write(new StompConfig(), ConfigJson.Default.StompConfig),
        [typeof(OpenWireConfig)] = Write(new OpenWireConfig(), ConfigJson.Default.OpenWireConfig),
        [typeof(LoggingConfig)] = Write(new LoggingConfig(), ConfigJson.Default.LoggingConfig),
    };

    /// <summary>Whether the defaults of a record are known here.</summary>
    public static bool Knows(Type type) => ByType.ContainsKey(type);

    /// <summary>Adds what is missing, in place. The document has passed <see cref="ConfigChecker"/>.</summary>
    public static void Complete(JsonNode? node, JsonTypeInfo type)
    {
        switch (node)
        {
            case JsonObject item when type.Kind == JsonTypeInfoKind.Object:
                CompleteObject(item, type);
                break;
            case JsonObject map:
                foreach ((string _, JsonNode? value) in map)
                {
                    Complete(value, type.Options.GetTypeInfo(type.ElementType!));
                }

                break;
            case JsonArray list:
                foreach (JsonNode? value in list)
                {
                    Complete(value, type.Options.GetTypeInfo(type.ElementType!));
                }

                break;
        }
    }

    private static void CompleteObject(JsonObject node, JsonTypeInfo type)
    {
        ByType.TryGetValue(type.Type, out JsonObject? defaults);
        foreach (JsonPropertyInfo property in type.Properties)
        {
            string? written = node.Select(e => e.Key)
                .FirstOrDefault(k => k.Equals(property.Name, StringComparison.OrdinalIgnoreCase));
            if ((written is null || node[written] is null) && defaults?[property.Name] is { } value)
            {
                node[written ?? property.Name] = value.DeepClone();
            }
            else if (written is not null)
            {
                Complete(node[written], type.Options.GetTypeInfo(property.PropertyType));
            }
        }
    }

    private static JsonObject Write<T>(T value, JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToNode(value, type)!.AsObject();
}
