using System.Reflection;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Mqtt;
using Pillarbox.Protocols.OpenWire;
using Pillarbox.Protocols.Stomp;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

/// <summary>The settings of single protocols: read, bounded, and the same defaults as the engines have.</summary>
public sealed class ProtocolsConfigTests
{
    [Fact]
    public void They_are_read()
    {
        ProtocolsConfig read = ConfigLoader.Parse(
            """
            { "protocols": {
              "mqtt": { "serverReference": "other:1883", "receiveMaximum": 7, "sessionExpirySecondsMax": 60 },
              "stomp": { "heartbeatMs": 0 },
              "openWire": { "inactivityMs": 5000 } } }
            """,
            "t.json").Protocols;
        Assert.Equal(("other:1883", 7, 60L), (
            read.Mqtt.ServerReference, read.Mqtt.ReceiveMaximum, read.Mqtt.SessionExpirySecondsMax));
        Assert.Equal((0, 5000), (read.Stomp.HeartbeatMs, read.OpenWire.InactivityMs));
        Assert.Equal(new MqttConfig().InFlightMax, read.Mqtt.InFlightMax);
    }

    [Theory]
    [InlineData("""{ "protocols": { "mqtt": { "receiveMaximum": 0 } } }""", "protocols.mqtt.receiveMaximum")]
    [InlineData("""{ "protocols": { "mqtt": { "serverReference": "" } } }""", "protocols.mqtt.serverReference")]
    [InlineData("""{ "protocols": { "stomp": { "headersMax": 1 } } }""", "protocols.stomp.headersMax")]
    [InlineData("""{ "protocols": { "openWire": { "frameBytesMax": 1 } } }""", "protocols.openWire.frameBytesMax")]
    [InlineData("""{ "limits": { "xaTimeoutMs": 1 } }""", "limits.xaTimeoutMs")]
    [InlineData("""{ "limits": { "offsetsBytesMax": 1000 } }""", "limits.offsetsBytesMax")]
    [InlineData("""{ "limits": { "offsetRetentionMs": 1000 } }""", "limits.offsetRetentionMs")]
    public void They_are_bounded(string document, string path)
    {
        var refusal = Assert.Throws<ConfigException>(() => ConfigLoader.Parse(document, "t.json"));
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Their_defaults_are_those_of_the_engines()
    {
        AssertSame(new MqttConfig(), new MqttOptions());
        AssertSame(new StompConfig(), new StompOptions());
        AssertSame(new OpenWireConfig(), new OpenWireOptions());
    }

    private static void AssertSame(object config, object options)
    {
        foreach (PropertyInfo property in config.GetType().GetProperties().Where(p => p.GetMethod!.IsPublic))
        {
            PropertyInfo engines = options.GetType().GetProperty(property.Name)!;
            Assert.Equal(
                $"{property.Name} {property.GetValue(config)}", $"{property.Name} {engines.GetValue(options)}");
        }
    }
}
