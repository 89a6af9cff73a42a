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
    public void Every_key_below_the_root_is_described()
    {
        JsonObject root = JsonNode.Parse(ConfigSchema.Text)!["properties"]!.AsObject();
        foreach ((string name, JsonNode? value) in root)
        {
            Assert.True(value!["description"] is not null, $"{name} has no description");
        }
    }
}
