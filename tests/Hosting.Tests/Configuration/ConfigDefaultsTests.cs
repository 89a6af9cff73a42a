using System.Text.Json.Serialization.Metadata;
using Pillarbox.Hosting.Configuration;
using Xunit;

namespace Pillarbox.Hosting.Tests.Configuration;

/// <summary>What a document does not mention has the default that its record declares, in each of its
/// sections.</summary>
public sealed class ConfigDefaultsTests
{
    public static TheoryData<Type> Sections()
    {
        var seen = new HashSet<Type>();
        Collect(ConfigJson.Default.PillarboxConfig, seen);
        return [.. seen.OrderBy(type => type.FullName, StringComparer.Ordinal)];
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public void A_section_with_defaults_has_them_in_a_document(Type section)
    {
        object made = Activator.CreateInstance(section)!;
        string[] declared =
        [
            .. section.GetProperties().Where(property => property.CanWrite && property.GetMethod!.IsPublic)
                .Where(property => HasDefault(property.PropertyType, property.GetValue(made)))
                .Select(property => property.Name),
        ];
        Assert.True(
            declared.Length == 0 || ConfigDefaults.Knows(section),
            $"{section.Name} loses the defaults of {string.Join(", ", declared)}: name it in ConfigDefaults");
    }

    // It was taken for a fault of the program, without a word of which.
    [Theory]
    [InlineData("""{ "listeners": { "amqp": { "addresses": ["*:0"], "connections": { "sessionsMax": 5 } } } }""")]
    [InlineData(
        """
        { "router": { "mode": "standalone" }, "listeners": { "amqp": { "addresses": ["*:0"],
            "loginService": { "address": "auth:5671" },
            "tls": { "certificate": "c.pem", "clientCertificates": "allow", "clientAuthorities": "a.pem",
                "clientNames": { } } } } }
        """)]
    public void A_section_says_only_what_differs(string json)
    {
        ListenerConfig listener = ConfigLoader.Parse(json, "t.json").Listeners["amqp"];
        Assert.Empty(listener.Connections?.Mechanisms ?? []);
        Assert.Empty(listener.LoginService?.Roles ?? []);
        Assert.Equal("", listener.Tls?.ClientNames?.Format ?? "");
        Assert.False(listener.Connections is { Mechanisms: null } || listener.LoginService is { Roles: null }
            || listener.Tls?.ClientNames is { Roles: null } or { Format: null });
    }

    private static bool HasDefault(Type type, object? value) =>
        value is not null && (!type.IsValueType || !value.Equals(Activator.CreateInstance(type)));

    private static void Collect(JsonTypeInfo type, HashSet<Type> seen)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
        {
            if (type.ElementType is { } element)
            {
                Collect(type.Options.GetTypeInfo(element), seen);
            }

            return;
        }

        if (type.Type.GetConstructor([]) is not null && seen.Add(type.Type))
        {
            foreach (JsonPropertyInfo property in type.Properties)
            {
                Collect(type.Options.GetTypeInfo(property.PropertyType), seen);
            }
        }
    }
}
