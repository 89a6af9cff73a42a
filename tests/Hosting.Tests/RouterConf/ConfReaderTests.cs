using System.Text.Json.Nodes;
using Pillarbox.Hosting.RouterConf;
using Xunit;

namespace Pillarbox.Hosting.Tests.RouterConf;

/// <summary>The text of a <c>qdrouterd.conf</c> becomes entities, or an error with its line.</summary>
public sealed class ConfReaderTests
{
    [Fact]
    public void Sections_become_entities_in_order()
    {
        IReadOnlyList<ConfEntity> entities = ConfReader.Read(
            """
            # a network of one
            router {
                mode: interior   # as the others
                id: Router.A
            }

            listener {
                host: 127.0.0.1
                port: amqp
                sasl-mechanisms: ANONYMOUS PLAIN
            }
            address {
                prefix: closest
                distribution: closest
            }
            """);

        Assert.Equal(
            [("router", 2), ("listener", 7), ("router.config.address", 12)],
            entities.Select(entity => (entity.Type, entity.Line)));
        Assert.Equal("interior", Text(entities[0], "mode"));
        Assert.Equal("Router.A", Text(entities[0], "id"));
        Assert.Equal("ANONYMOUS PLAIN", Text(entities[1], "saslMechanisms"));
        Assert.Equal(["prefix", "distribution"], entities[2].Attributes.Keys);
    }

    [Theory]
    [InlineData("address {\npattern: a/#/b   # not a comment\n}", "pattern", "a/#/b")]
    [InlineData("binding {\nbindingKey: # all\n}", "bindingKey", "#")]
    [InlineData("vhost {\nhostname: #.example.org\n}", "hostname", "#.example.org")]
    [InlineData("listener {\nhost: # none\n}", "host", "")]
    [InlineData("connector {\nsaslPassword: pass:a:b{c}\n}", "saslPassword", "pass:a:b{c}")]
    [InlineData("router {\r\nid: A\r\n}\r\n", "id", "A")]
    public void A_hash_is_a_comment_but_in_some_values(string conf, string key, string value) =>
        Assert.Equal(value, Text(Assert.Single(ConfReader.Read(conf)), key));

    [Fact]
    public void Maps_nest_and_some_hold_json()
    {
        ConfEntity vhost = Assert.Single(ConfReader.Read(
            """
            vhost {
                hostname: example.com
                groups: {
                    # who may do what
                    "$default": {
                        "remoteHosts": "*",
                        "sources": "a{b}, c",
                    },
                    "admin": {
                        "allowDynamicSource": true
                    }
                }
                maxConnections: 10
            }
            """));
        JsonObject groups = vhost.Attributes["groups"].AsObject();
        Assert.Equal("a{b}, c", (string?)groups["$default"]!["sources"]);
        Assert.True((bool)groups["admin"]!["allowDynamicSource"]!);
        Assert.Equal("10", Text(vhost, "maxConnections"));

        ConfEntity other = Assert.Single(ConfReader.Read("x {\nouter: {\ninner: {\nkey: value\n}\n}\nlast: 1\n}"));
        Assert.Equal("value", (string?)other.Attributes["outer"]["inner"]!["key"]);
        Assert.Equal("1", Text(other, "last"));
    }

    [Fact]
    public void A_json_file_says_the_same()
    {
        IReadOnlyList<ConfEntity> entities = ConfReader.Read(
            """
              [
                # comments stand on lines of their own
                ["router", {"mode": "interior", "id": "A"}],
                ["listener", {"port": 5672, "authenticatePeer": false}],
                ["linkRoute", {"prefix": "$coordinator", "direction": "in"}]
              ]
            """);
        Assert.Equal(["router", "listener", "router.config.linkRoute"], entities.Select(entity => entity.Type));
        Assert.Equal("5672", Text(entities[1], "port"));
        Assert.Equal("false", Text(entities[1], "authenticatePeer"));
    }

    [Theory]
    [InlineData("router { mode: interior }", "line 1")]
    [InlineData("\nrouter\n{\n}", "line 2")]
    [InlineData("router {\nmode interior\n}", "line 2")]
    [InlineData("router {\nmode: interior\n", "'router' of line 1")]
    [InlineData("vhost {\ngroups: {\n\"a\": 1,,\n}\n}", "line 3")]
    [InlineData("vhost {\ngroups: {\n\"a\": {\n", "'groups' of line 2")]
    [InlineData("}\n", "line 1")]
    [InlineData("[[\"router\"]]", "entry 1")]
    [InlineData("[\n[\"router\", {\n]", "line 3")]
    public void What_cannot_be_read_is_named(string conf, string where)
    {
        ConfSyntaxException fault = Assert.Throws<ConfSyntaxException>(() => ConfReader.Read(conf));
        Assert.Contains(where, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Maps_are_not_endlessly_deep()
    {
        string deep = "x {\n" + string.Concat(Enumerable.Repeat("a: {\n", 1000));
        Assert.Throws<ConfSyntaxException>(() => ConfReader.Read(deep));
    }

    private static string? Text(ConfEntity entity, string key) => (string?)entity.Attributes[key];
}
