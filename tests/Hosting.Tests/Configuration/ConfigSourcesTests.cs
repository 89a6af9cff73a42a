using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

public sealed class ConfigSourcesTests
{
    [Fact]
    public void The_environment_wins_over_the_file_and_flags_over_both()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(
                file,
                """
                { "dataDirectory": "file", "limits": { "shards": 1, "producerCredit": 5 }, "queues": [{ "name": "a" }] }
                """);
            PillarboxConfig config = ConfigLoader.Load(new ConfigSources
            {
                File = file,
                Environment = new Dictionary<string, string>
                {
                    ["PILLARBOX__LIMITS__SHARDS"] = "2",
                    ["Pillarbox__dataDirectory"] = "environment",
                    ["Pillarbox__queues__1__name"] = "b",
                    ["Pillarbox__listeners__amqp__addresses"] = "127.0.0.1:1, 127.0.0.1:2",
                    ["Pillarbox__listeners__http__addresses__0"] = "127.0.0.1:3",
                    ["Pillarbox__addressSettings__#__redeliveryDelayMultiplier"] = "1.5",
                    ["Pillarbox__security__required"] = "true",
                    ["PATH"] = "/bin",
                },
                Settings = [new("limits.transactionBytesMax", "2048")],
                Flags = c => c with { DataDirectory = "flag" },
            });
            Assert.Equal("flag", config.DataDirectory);
            var limits = new LimitsConfig { Shards = 2, ProducerCredit = 5, TransactionBytesMax = 2048 };
            Assert.Equal(limits, config.Limits);
            Assert.Equal(["a", "b"], config.Queues.Select(q => q.Name));
            Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], config.Listeners["amqp"].Addresses);
            Assert.Equal(["127.0.0.1:3"], config.Listeners["http"].Addresses);
            Assert.Equal(1.5, config.AddressSettings["#"].RedeliveryDelayMultiplier);
            Assert.True(config.Security.Required);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Pillarbox__limts__shards", "1", "unknown key 'limts'; did you mean 'limits'?")]
    [InlineData("Pillarbox__limits__shards", "many", "'limits.shards' must be a whole number, not \"many\"")]
    [InlineData("Pillarbox__limits", "1", "'limits' is an object: name the setting inside it")]
    [InlineData("Pillarbox__limits__shards__x", "1", "'limits.shards' is a single value: nothing lies below it")]
    [InlineData("Pillarbox__queues__x__name", "1", "'queues' is a list: 'x' is no number of an item (from 0)")]
    [InlineData(
        "Pillarbox__queues__99999999__name", "1", "'queues' is a list: '99999999' is no number of an item (from 0)")]
    [InlineData("Pillarbox__queues", "a", "'queues' is a list of objects: name the item by its number, from 0")]
    public void A_mistake_in_the_environment_names_the_variable(string name, string value, string expected)
    {
        var sources = new ConfigSources { Environment = new Dictionary<string, string> { [name] = value } };
        var error = Assert.Throws<ConfigException>(() => ConfigLoader.Load(sources));
        Assert.Equal($"environment variable {name}: {expected}", error.Message);
    }

    [Theory]
    [InlineData("kitten", "sitting", 3)]
    [InlineData("", "abc", 3)]
    [InlineData("Same", "sAME", 0)]
    [InlineData("ab", "ba", 2)]
    public void Distance_counts_the_edits(string left, string right, int distance)
    {
        Assert.Equal(distance, NearestName.Distance(left, right));
        Assert.Equal(distance, NearestName.Distance(right, left));
    }
}
