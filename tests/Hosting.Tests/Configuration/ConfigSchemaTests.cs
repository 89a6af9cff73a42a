using System.Text.Json.Nodes;
using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

public sealed class ConfigSchemaTests
{
    [Fact]
    public void The_committed_schema_is_what_the_records_say()
    {
        string generated = ConfigSchema.Generate();
        if (Environment.GetEnvironmentVariable("PILLARBOX_WRITE_SCHEMA") is { Length: > 0 } path)
        {
            File.WriteAllText(path, generated);
        }

        Assert.Equal(generated, ConfigSchema.Text);
    }

    [Fact]
    public void Every_key_is_described() =>
        Assert.Empty(Undescribed(JsonNode.Parse(ConfigSchema.Text)!.AsObject(), ""));

    private static IEnumerable<string> Undescribed(JsonObject schema, string path)
    {
        foreach ((string name, JsonNode? value) in schema["properties"] as JsonObject ?? [])
        {
            string here = $"{path}.{name}";
            IEnumerable<string> below = Undescribed(value!.AsObject(), here);
            foreach (string found in value["description"] is null ? below.Prepend(here) : below)
            {
                yield return found;
            }
        }

        foreach (string inner in new[] { "additionalProperties", "items" })
        {
            foreach (string found in schema[inner] is JsonObject each ? Undescribed(each, path) : [])
            {
                yield return found;
            }
        }
    }
}
