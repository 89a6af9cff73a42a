using Microsoft.Extensions.Logging;
using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Model;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

public sealed class ConfigLoaderTests
{
    [Fact]
    public void An_empty_document_keeps_every_default()
    {
        PillarboxConfig read = ConfigLoader.Parse("{}", "t.json");
        Assert.Equal(new LimitsConfig(), read.Limits);
        Assert.Equal(new LoggingConfig(), read.Logging);
        Assert.Equal("./data", read.DataDirectory);
        Assert.Empty(read.Listeners);
        Assert.Empty(read.Queues);
        Assert.Empty(read.AddressSettings);
        Assert.Empty(read.Security.Permissions);
        Assert.False(read.Security.Required);
    }

    [Fact]
    public void A_connectors_certificate_is_checked_for_its_name_unless_the_document_says_otherwise()
    {
        PillarboxConfig read = ConfigLoader.Parse(
            """
            {
              "router": {
                "mode": "interior",
                "connectors": {
                  "one": { "role": "interRouter", "addresses": ["a:1"], "tls": {} },
                  "two": {
                    "role": "interRouter", "addresses": ["wss://b:1/x"], "tls": { "verifyName": false },
                    "proxy": { "url": "http://proxy:3128", "user": "ann", "passwordVariable": "WORD" }
                  }
                },
                "vhosts": { "shop": { "groups": { "$default": { "remoteHosts": ["*"] } } } }
              }
            }
            """,
            "t.json");
        Assert.True(read.Router!.Connectors["one"].Tls!.VerifyName);
        Assert.False(read.Router.Connectors["two"].Tls!.VerifyName);
        Assert.Equal("ann", read.Router.Connectors["two"].Proxy!.User);
        Assert.True(read.Router.Vhosts["shop"].Groups["$default"].AllowWaypointLinks);
        Assert.Equal("$default", read.Router.Policy.DefaultVhost);
    }

    [Theory]
    [InlineData("\"addresses\": [\"ws://a:1\"], \"tls\": {}", "must be wss://")]
    [InlineData("\"addresses\": [\"http://a:1\"]", "must be host:port")]
    [InlineData("\"addresses\": [\"a:1\"], \"proxy\": { \"url\": \"http://u:p@proxy:1\" }", "without a user")]
    [InlineData("\"addresses\": [\"a:1\"], \"openProperties\": { \"product\": \"x\" }", "cannot set 'product'")]
    public void What_is_wrong_with_a_connector_is_said(string settings, string expected)
    {
        ConfigException fault = Assert.Throws<ConfigException>(() => ConfigLoader.Parse(
            "{\"router\": {\"mode\": \"interior\", \"connectors\": {\"one\": {\"role\": \"interRouter\", "
            + settings + "}}}}",
            "t.json"));
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_whole_document_with_comments_is_read()
    {
        PillarboxConfig read = ConfigLoader.Parse(
            """
            {
              "$schema": "docs/pillarbox.schema.json",
              // where the journal lives
              "dataDirectory": "/var/lib/pillarbox",
              "listeners": {
                "amqp": { "addresses": ["127.0.0.1:5672", "[::1]:5672"] },
                "inside": {
                  "protocol": "http",
                  "addresses": ["unix:/run/p.sock"],
                  "tls": { "certificate": "a.pem", "clientCertificates": "require" },
                },
              },
              "queues": [
                { "name": "orders" },
                { "name": "news", "address": "news.#", "routingType": "multicast", "durable": false },
              ],
              "addressSettings": { "#": { "maxDeliveryAttempts": 3, "addressFullPolicy": "fail" } },
              "security": { "permissions": { "#": { "admin": ["send", "consume"] } } },
              "limits": { "cacheBytes": 2097152 }, /* the rest stays */
              "logging": { "level": "warning", "format": "json" },
            }
            """,
            "t.json");
        Assert.Equal("/var/lib/pillarbox", read.DataDirectory);
        Assert.Equal(["127.0.0.1:5672", "[::1]:5672"], read.Listeners["amqp"].Addresses);
        Assert.Equal(ListenerProtocol.Http, read.Listeners["inside"].Protocol);
        Assert.Equal(ClientCertificateMode.Require, read.Listeners["inside"].Tls!.ClientCertificates);
        Assert.Equal(new QueueEntryConfig { Name = "orders" }, read.Queues[0]);
        Assert.True(read.Queues[0].Durable);
        Assert.Equal(RoutingType.Multicast, read.Queues[1].RoutingType);
        Assert.False(read.Queues[1].Durable);
        Assert.Equal(3, read.AddressSettings["#"].MaxDeliveryAttempts);
        Assert.Equal([Permission.Send, Permission.Consume], read.Security.Permissions["#"]["admin"]);
        Assert.Equal(new LimitsConfig { CacheBytes = 2 << 20 }, read.Limits);
        Assert.Equal(new LoggingConfig { Level = LogLevel.Warning, Format = LogFormat.Json }, read.Logging);
    }

    [Theory]
    [InlineData("""{ "lisners": {} }""", "t.json: unknown key 'lisners'; did you mean 'listeners'?")]
    [InlineData(
        """{ "limits": { "casheBytes": 1 } }""", "t.json: unknown key 'limits.casheBytes'; did you mean 'cacheBytes'?")]
    [InlineData(
        """{ "queues": [{ "nmae": "a" }] }""", "t.json: unknown key 'queues[0].nmae'; did you mean 'name'?")]
    [InlineData(
        """{ "listeners": { "amqp": { "adresses": [] } } }""",
        "t.json: unknown key 'listeners.amqp.adresses'; did you mean 'addresses'?")]
    [InlineData(
        """{ "addressSettings": { "a.#": { "expiryDelay": 1 } } }""",
        "t.json: unknown key 'addressSettings.a.#.expiryDelay'; did you mean 'expiryDelayMs'?")]
    [InlineData(
        """{ "logging": { "zzzzzzzzzzzz": 1 } }""",
        "t.json: unknown key 'logging.zzzzzzzzzzzz'; known here: level, format")]
    [InlineData(
        """{ "limits": { "cacheBytes": "x" } }""", "t.json: 'limits.cacheBytes' must be a whole number, not \"x\"")]
    [InlineData("""{ "limits": { "shards": 1.5 } }""", "t.json: 'limits.shards' must be a whole number, not 1.5")]
    [InlineData("""{ "limits": [] }""", "t.json: 'limits' must be an object { }, not a list")]
    [InlineData("""{ "queues": {} }""", "t.json: 'queues' must be a list [ ], not an object")]
    [InlineData("""{ "security": { "required": 1 } }""", "t.json: 'security.required' must be true or false, not 1")]
    [InlineData("[]", "t.json: the file must hold an object { }, not a list")]
    [InlineData(
        """{ "listeners": { "amqp": { "protocol": "gopher" } } }""",
        "t.json: 'listeners.amqp.protocol' must be one of amqp, kafka, http, all, mqtt, stomp, openWire,"
            + " not \"gopher\"")]
    [InlineData(
        """{ "logging": { "level": "warn" } }""",
        "t.json: 'logging.level' must be one of trace, debug, information, warning, error, critical, none,"
            + " not \"warn\"; did you mean 'warning'?")]
    [InlineData(
        """{ "listeners": { "x": { "addresses": ["127.0.0.1:1"] } } }""",
        "t.json: 'listeners.x.protocol' is needed: {protocols}")]
    [InlineData(
        """{ "listeners": { "amqp": { } } }""", "t.json: 'listeners.amqp.addresses' must name at least one host:port")]
    [InlineData(
        """{ "listeners": { "amqp": { "addresses": ["127.0.0.1"] } } }""",
        "t.json: 'listeners.amqp.addresses[0]' must be host:port, [v6]:port, *:port or unix:/path, not '127.0.0.1'")]
    [InlineData(
        """{ "listeners": { "amqp": { "addresses": ["127.0.0.1:99999"] } } }""",
        "t.json: 'listeners.amqp.addresses[0]' must be host:port, [v6]:port, *:port or unix:/path,"
            + " not '127.0.0.1:99999'")]
    [InlineData(
        """{ "listeners": { "amqp": { "addresses": ["*:1"], "tls": { } } } }""",
        "t.json: 'listeners.amqp.tls.certificate' is needed: a PEM or PFX file")]
    [InlineData(
        """{ "queues": [{ "name": "a" }, { "name": "a" }] }""",
        "t.json: 'queues[1].name' repeats 'a'; queue names are unique")]
    [InlineData("""{ "queues": [{ }] }""", "t.json: 'queues[0].name' cannot be used: the name is empty")]
    [InlineData("""{ "limits": { "shards": 1000 } }""", "t.json: 'limits.shards' must be from 0 to 256, not 1000")]
    [InlineData(
        """{ "addressSettings": { "#": { "redeliveryCollisionAvoidance": 2 } } }""",
        "t.json: 'addressSettings.#.redeliveryCollisionAvoidance' must be from 0 to 1")]
    [InlineData(
        """{ "router": { "autoLinks": [{ "address": "a" }] } }""",
        "t.json: 'router.autoLinks[0]' needs either a connection or a containerId")]
    [InlineData(
        """{ "router": { "autoLinks": [{ "address": "a", "connection": "b", "phase": 10 }] } }""",
        "t.json: 'router.autoLinks[0].phase' must be from 0 to 9")]
    [InlineData(
        """{ "router": { "linkRoutes": [{ "connection": "b" }] } }""",
        "t.json: 'router.linkRoutes[0]' needs either a prefix or a pattern")]
    [InlineData(
        """{ "router": { "addresses": [{ "prefix": "a", "waypoint": true, "enableFallback": true }] } }""",
        "t.json: 'router.addresses[0].enableFallback' goes with phase 0 only, and not with waypoint")]
    public void A_mistake_is_named_in_one_line(string json, string expected) =>
        Assert.Equal(
            expected.Replace("{protocols}", ListenerConfig.ProtocolNames, StringComparison.Ordinal),
            Assert.Throws<ConfigException>(() => ConfigLoader.Parse(json, "t.json")).Message);

    [Theory]
    [InlineData("{\n  \"limits\": }", "t.json: line 2, column 13: not valid JSON: ")]
    [InlineData("{", "t.json: line 1, column ")]
    [InlineData("""{ "limits": {}, "limits": {} }""", "t.json: ")]
    public void Broken_json_is_named_with_its_place(string json, string start)
    {
        string message = Assert.Throws<ConfigException>(() => ConfigLoader.Parse(json, "t.json")).Message;
        Assert.StartsWith(start, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Links_to_brokers_are_read()
    {
        RouterSection router = ConfigLoader.Parse(
            """
            { "router": {
              "autoLinks": [{ "address": "a", "direction": "out", "connection": "b", "fallback": true }],
              "linkRoutes": [{ "pattern": "a.*", "direction": "in", "containerId": "c", "addExternalPrefix": "x." }]
            } }
            """,
            "t.json").Router!;
        Assert.Equal(
            new AutoLinkConfig { Address = "a", Direction = LinkDirection.Out, Connection = "b", Fallback = true },
            Assert.Single(router.AutoLinks));
        Assert.Equal(
            new LinkRouteConfig { Pattern = "a.*", ContainerId = "c", AddExternalPrefix = "x." },
            Assert.Single(router.LinkRoutes));
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var error = Assert.Throws<ConfigException>(() => ConfigLoader.Load(new ConfigSources { File = path }));
        Assert.Equal($"{path}: there is no such file", error.Message);
    }
}
