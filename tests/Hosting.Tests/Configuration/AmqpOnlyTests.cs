using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

/// <summary>What says something of AMQP connections is refused where AMQP is not spoken: nobody would look at it, and
/// it would seem to say who may connect.</summary>
public sealed class AmqpOnlyTests
{
    private static readonly (string Name, string Json, string Path)[] Settings =
    [
        ("cost", """ "cost": 2 """, "cost"),
        ("connections", """ "connections": { "loginRequired": true } """, "connections"),
        ("loginService", """ "loginService": { "address": "127.0.0.1:5671" } """, "loginService"),
        ("multiTenant", """ "multiTenant": true """, "multiTenant"),
        ("policyVhost", """ "policyVhost": "shop" """, "policyVhost"),
        ("failoverUrls", """ "failoverUrls": ["amqp://127.0.0.1:1"] """, "failoverUrls"),
        ("openProperties", """ "openProperties": { "site": "one" } """, "openProperties"),
        (
            "clientNames",
            """ "tls": { "certificate": "c.pem", "clientCertificates": "require", "clientAuthorities": "a.pem", """
                + """ "clientNames": { "format": "n" } } """,
            "tls.clientNames"),
    ];

    public static TheoryData<string, string> Elsewhere()
    {
        var cases = new TheoryData<string, string>();
        foreach (string protocol in new[] { "mqtt", "stomp", "openWire", "kafka" })
        {
            foreach ((string name, _, _) in Settings)
            {
                cases.Add(protocol, name);
            }
        }

        return cases;
    }

    public static TheoryData<string, string> AmongAmqp()
    {
        var cases = new TheoryData<string, string>();
        foreach (string protocol in new[] { "amqp", "http", "all" })
        {
            foreach ((string name, _, _) in Settings)
            {
                cases.Add(protocol, name);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public void A_setting_of_AMQP_is_refused_where_another_protocol_is_spoken(string protocol, string setting)
    {
        (_, string json, string path) = Settings.Single(one => one.Name == setting);
        ConfigException fault =
            Assert.Throws<ConfigException>(() => ConfigLoader.Parse(Text(protocol, json), "t.json"));
        Assert.Equal($"t.json: 'listeners.here.{path}' is for AMQP, which is not spoken here", fault.Message);
    }

    [Theory]
    [MemberData(nameof(AmongAmqp))]
    public void It_is_taken_where_AMQP_is_spoken_among_others(string protocol, string setting)
    {
        string json = Settings.Single(one => one.Name == setting).Json;
        Assert.NotNull(ConfigLoader.Parse(Text(protocol, json), "t.json").Listeners["here"]);
    }

    [Theory]
    [InlineData("mqtt")]
    [InlineData("all")]
    public void A_role_is_for_AMQP_and_HTTP(string protocol)
    {
        ConfigException fault = Assert.Throws<ConfigException>(
            () => ConfigLoader.Parse(Text(protocol, """ "role": "interRouter" """), "t.json"));
        Assert.Equal("t.json: 'listeners.here.role' is for AMQP and HTTP listeners", fault.Message);
    }

    private static string Text(string protocol, string setting) =>
        $$"""
        { "router": { "mode": "interior" }, "listeners": { "here": {
            "protocol": "{{protocol}}", "addresses": ["127.0.0.1:0"], {{setting}} } } }
        """;
}
