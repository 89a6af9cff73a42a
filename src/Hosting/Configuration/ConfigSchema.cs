using System.ComponentModel;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Pillarbox.Hosting.Configuration;

/// <summary>The JSON schema of <c>pillarbox.json</c>, for editors and for <c>pillarbox config schema</c>.</summary>
public static class ConfigSchema
{
    private const string Resource = "pillarbox.schema.json";

    /// <summary>The committed schema, as it lies in <c>docs/pillarbox.schema.json</c>.</summary>
    public static string Text
    {
        get
        {
            using Stream stream = typeof(ConfigSchema).Assembly.GetManifestResourceStream(Resource)!;
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return reader.ReadToEnd();
        }
    }

    /// <summary>The schema as the records say it now; a test holds it equal to <see cref="Text"/>.</summary>
    internal static string Generate()
    {
        JsonTypeInfo root = ConfigJson.Default.PillarboxConfig;
        var exporter = new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = Describe,
        };
        JsonObject schema = root.GetJsonSchemaAsNode(exporter).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "Pillarbox configuration");
        return schema.ToJsonString(new JsonSerializerOptions(root.Options)
        {
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }) + "\n";
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        if (node is not JsonObject schema)
        {
            return node;
        }

        JsonTypeInfo type = context.TypeInfo;
        if (type.Kind == JsonTypeInfoKind.Object)
        {
            schema["additionalProperties"] = false;
        }

        if ((Nullable.GetUnderlyingType(type.Type) ?? type.Type) is { IsEnum: true } enumeration)
        {
            schema.Remove("type");
            IEnumerable<string> names = Enum.GetNames(enumeration).Select(JsonNamingPolicy.CamelCase.ConvertName);
            schema["enum"] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
        }

        object? description = context.PropertyInfo?.AttributeProvider?
            .GetCustomAttributes(typeof(DescriptionAttribute), true).FirstOrDefault();
        if (description is DescriptionAttribute { Description: var text })
        {
            schema.Insert(0, "description", text);
        }

        return schema;
    }
}
