using System.Net;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Policy;

/// <summary>Who is let in, and what for: questions and answers.</summary>
public sealed class PolicyEngineTests
{
    private static readonly PolicyRules Rules = new()
    {
        IsEnabled = true,
        DefaultVhost = "",
        Vhosts =
        [
            new VhostPolicy
            {
                Hostname = "shop",
                Aliases = ["store"],
                MaxConnections = 4,
                MaxConnectionsPerUser = 2,
                MaxConnectionsPerHost = 3,
                MaxMessageBytes = 1000,
                Groups = new Dictionary<string, GroupPolicy>
                {
                    ["staff"] = new GroupPolicy
                    {
                        Users = new HashSet<string> { "ann", "bob" },
                        RemoteHosts = Hosts("10.0.0.1-10.0.0.9, 127.0.0.1"),
                        MaxSenders = 2,
                        MaxReceivers = 0,
                        MaxSessions = 1,
                        Sources = AllowedAddresses.Of("*", null),
                        Targets = AllowedAddresses.Of("orders, in-${user}*", null),
                    },
                    ["boss"] = new GroupPolicy
                    {
                        Users = new HashSet<string> { "zoe" },
                        RemoteHosts = Hosts("*"),
                        MaxConnectionsPerUser = 9,
                        MaxConnectionsPerHost = 9,
                        MaxMessageBytes = 5,
                        AllowsAnonymousSender = true,
                        AllowsDynamicSource = true,
                        AllowsWaypointLinks = false,
                        Sources = AllowedAddresses.Of("everything*", "${user}.#"),
                        Targets = AllowedAddresses.Of(null, "*.in"),
                    },
                },
            },
            new VhostPolicy
            {
                Hostname = "open",
                AllowsUnknownUsers = true,
                Groups = new Dictionary<string, GroupPolicy>
                {
                    [PolicyRules.DefaultGroup] = new GroupPolicy { RemoteHosts = Hosts("*") },
                },
            },
            new VhostPolicy { Hostname = "empty", AllowsUnknownUsers = true },
        ],
    };

    [Theory]
    [InlineData("ann", "staff")]
    [InlineData("eve", "others")]
    public void Who_is_in_no_group_is_in_that_of_everybody(string user, string group)
    {
        var vhost = new VhostPolicy
        {
            Hostname = "shop",
            AllowsUnknownUsers = true,
            Groups = new Dictionary<string, GroupPolicy>
            {
                ["others"] = new GroupPolicy { Users = new HashSet<string> { "*" } },
                ["staff"] = new GroupPolicy { Users = new HashSet<string> { "ann" } },
            },
        };
        Assert.Equal(group, vhost.GroupOf(user));
    }

    [Theory]
    [InlineData("shop", "ann", "10.0.0.5", "staff")]
    [InlineData("store", "ann", "127.0.0.1", "staff")]
    [InlineData("shop", "zoe", "192.168.7.7", "boss")]
    [InlineData("shop", "ann", "10.0.0.10", null)]
    [InlineData("shop", "eve", "10.0.0.5", null)]
    [InlineData("shop", "ann", "", null)]
    [InlineData("nowhere", "ann", "10.0.0.5", null)]
    [InlineData(null, "ann", "10.0.0.5", null)]
    [InlineData("open", "eve", "1.2.3.4", "$default")]
    [InlineData("empty", "eve", "1.2.3.4", null)]
    public void A_connection_is_in_the_group_of_its_user(string? host, string user, string from, string? group)
    {
        PolicyFinding finding = Rules.Find(Request(host, user, from));
        Assert.Equal(group ?? "", finding.GroupName);
        Assert.Equal(group is null, finding.Denial is not null);
    }

    [Theory]
    [InlineData("shop", "shop")]
    [InlineData("anything", "shop")]
    [InlineData("open", "open")]
    public void Who_names_no_virtual_host_is_in_the_default_one(string host, string expected)
    {
        PolicyRules rules = Rules with { DefaultVhost = "shop" };
        Assert.Equal(expected, rules.Find(Request(host, "zoe", "1.1.1.1")).Vhost!.Hostname);
    }

    [Fact]
    public void The_listeners_virtual_host_comes_before_the_opens_and_the_address_space_after()
    {
        PolicyRequest request = Request("shop", "zoe", "1.1.1.1") with { ListenerVhost = "open" };
        Assert.Equal("open", Rules.Find(request).Vhost!.Hostname);
        request = Request("x", "zoe", "1.1.1.1") with { AddressSpace = "shop" };
        Assert.Equal("shop", Rules.Find(request).Vhost!.Hostname);
    }

    [Theory]
    [InlineData("a.shop", "*.shop")]
    [InlineData("b.a.shop", "#.shop")]
    [InlineData("special.shop", "special.shop")]
    [InlineData("shop.example", null)]
    public void Names_that_are_patterns_match_the_most_specific_first(string host, string? expected)
    {
        VhostPolicy vhost = new() { Hostname = "", AllowsUnknownUsers = true };
        PolicyRules rules = new()
        {
            IsEnabled = true,
            TakesNamePatterns = true,
            DefaultVhost = "",
            Vhosts = [.. new[] { "#.shop", "*.shop", "special.shop" }.Select(name => vhost with { Hostname = name })],
        };
        Assert.Equal(expected, rules.Find(Request(host, "u", "1.1.1.1")).Vhost?.Hostname);
    }

    [Fact]
    public void Connections_are_counted_by_user_by_host_and_in_all()
    {
        var engine = new PolicyEngine(Rules);
        ConnectionPolicy ann = Enter(engine, "ann", "10.0.0.1")!;
        Enter(engine, "ann", "10.0.0.2");
        Assert.Null(Enter(engine, "ann", "10.0.0.3"));
        Enter(engine, "zoe", "10.0.0.1");
        Enter(engine, "zoe", "10.0.0.1");
        Assert.Null(Enter(engine, "bob", "10.0.0.9"));

        ann.Close();
        Assert.NotNull(Enter(engine, "bob", "10.0.0.9"));
        PolicyFacts facts = engine.Describe();
        Assert.Equal((7, 2, 4, 2),
            (facts.ConnectionsProcessed, facts.ConnectionsDenied, facts.ConnectionsCurrent, facts.TotalDenials));
        Assert.Equal((5, 2, 4), (facts.Vhosts[0].Approved, facts.Vhosts[0].Denied, facts.Vhosts[0].Current));
        Assert.Equal(1, facts.Vhosts[0].PerUser["ann"]);
    }

    [Fact]
    public void One_host_has_no_more_than_its_connections()
    {
        var engine = new PolicyEngine(Rules with
        {
            Vhosts = [Rules.Vhosts[0] with { MaxConnectionsPerHost = 1 }],
        });
        Assert.NotNull(Enter(engine, "ann", "10.0.0.1"));
        Assert.Null(Enter(engine, "bob", "10.0.0.1"));
        Assert.NotNull(Enter(engine, "bob", "10.0.0.2"));
    }

    [Fact]
    public void Without_virtual_hosts_only_the_number_of_connections_is_bounded()
    {
        var engine = new PolicyEngine(new PolicyRules { MaxConnections = 1 });
        ConnectionPolicy one = Enter(engine, "anybody", "1.1.1.1")!;
        Assert.Null(one.Check(SenderTo("anywhere"), () => 1000));
        Assert.True(one.AllowsTarget("anywhere"));
        Assert.Null(Enter(engine, "anybody", "1.1.1.1"));
        one.Close();
        Assert.NotNull(Enter(engine, "anybody", "1.1.1.1"));
    }

    [Theory]
    [InlineData("ann", "orders", true)]
    [InlineData("ann", "orders2", false)]
    [InlineData("ann", "in-ann", true)]
    [InlineData("ann", "in-anna", true)]
    [InlineData("ann", "in-bob", false)]
    [InlineData("zoe", "x.in", true)]
    [InlineData("zoe", "x.y.in", false)]
    [InlineData("zoe", "", true)]
    [InlineData("ann", "", false)]
    public void Senders_reach_the_targets_of_their_group(string user, string target, bool allowed)
    {
        ConnectionPolicy policy = Enter(new PolicyEngine(Rules), user, "127.0.0.1")!;
        AmqpError? error = policy.Check(SenderTo(target), () => 0);
        Assert.Equal(allowed ? null : "amqp:unauthorized-access", error?.Condition);
    }

    [Theory]
    [InlineData("zoe.inbox.new", true)]
    [InlineData("zoe", true)]
    [InlineData("zoey.inbox", false)]
    [InlineData("everything", false)]
    [InlineData(null, true)]
    public void Patterns_count_instead_of_names(string? source, bool allowed)
    {
        ConnectionPolicy policy = Enter(new PolicyEngine(Rules), "zoe", "127.0.0.1")!;
        var attach = new Attach
        {
            Name = "r",
            Handle = 0,
            Role = Role.Receiver,
            Source = source is null ? new Source { Dynamic = true } : new Source { Address = source },
        };
        Assert.Equal(allowed, policy.Check(attach, () => 0) is null);
    }

    [Fact]
    public void What_a_user_is_called_is_no_pattern()
    {
        PolicyWords words = new("*", "#");
        AddressGate patterns = AllowedAddresses.Of(null, "${user}.${host}").For(words);
        Assert.True(patterns.Allows("*.#"));
        Assert.False(patterns.Allows("a.b"));
        AddressGate names = AllowedAddresses.Of("own.${user}", null).For(words);
        Assert.True(names.Allows("own.*"));
        Assert.False(names.Allows("own.secret"));
    }

    [Fact]
    public void Numbers_of_sessions_and_links_are_bounded_and_denials_are_counted()
    {
        var engine = new PolicyEngine(Rules);
        ConnectionPolicy policy = Enter(engine, "ann", "127.0.0.1")!;
        Assert.True(policy.AllowsSession(0));
        Assert.False(policy.AllowsSession(1));
        Assert.Null(policy.Check(SenderTo("orders"), () => 1));
        Assert.Equal("amqp:resource-limit-exceeded", policy.Check(SenderTo("orders"), () => 2)!.Condition);
        var receiver = new Attach
        {
            Name = "r",
            Handle = 0,
            Role = Role.Receiver,
            Source = new Source { Address = "orders" },
        };
        Assert.Equal("amqp:resource-limit-exceeded", policy.Check(receiver, () => 0)!.Condition);
        policy.OnMessageTooLong();
        VhostFacts facts = engine.Describe().Vhosts[0];
        Assert.Equal((1, 1, 1, 1),
            (facts.SessionsDenied, facts.SendersDenied, facts.ReceiversDenied, facts.MessagesDenied));
        Assert.Equal((2, 4), (engine.Describe().LinksDenied, engine.Describe().TotalDenials));
    }

    [Fact]
    public void The_narrowest_limit_of_a_message_is_that_of_the_group()
    {
        var engine = new PolicyEngine(Rules with { MaxMessageBytes = 10 });
        Assert.Equal(1000, Enter(engine, "ann", "127.0.0.1")!.MaxMessageBytes);
        Assert.Equal(5, Enter(engine, "zoe", "127.0.0.1")!.MaxMessageBytes);
    }

    [Fact]
    public void Waypoints_and_other_users_names_are_denied_where_they_are_not_allowed()
    {
        ConnectionPolicy policy = Enter(new PolicyEngine(Rules), "zoe", "127.0.0.1")!;
        Attach waypoint = SenderTo("x.in") with
        {
            Target = new Target { Address = "x.in", Capabilities = ["qd.waypoint.2"] },
        };
        Assert.Equal("amqp:unauthorized-access", policy.Check(waypoint, () => 0)!.Condition);
        Assert.True(policy.AllowsUserId(default));
        Assert.True(policy.AllowsUserId("zoe"u8));
        Assert.False(policy.AllowsUserId("ann"u8));
    }

    [Fact]
    public void Rules_are_replaced_and_connections_keep_theirs()
    {
        var engine = new PolicyEngine(Rules);
        ConnectionPolicy before = Enter(engine, "zoe", "127.0.0.1")!;
        engine.Replace(Rules with { Vhosts = [] });
        Assert.Null(Enter(engine, "zoe", "127.0.0.1"));
        Assert.True(before.AllowsTarget("x.in"));
        before.Close();
        Assert.Equal(0, engine.Describe().ConnectionsCurrent);
    }

    [Theory]
    [InlineData("10.0.0.1-10.0.0.9", "10.0.0.9", true)]
    [InlineData("10.0.0.1-10.0.0.9", "10.0.0.10", false)]
    [InlineData("10.1.0.0/16", "10.1.255.255", true)]
    [InlineData("10.1.0.0/16", "10.2.0.0", false)]
    [InlineData("10.0.0.7", "::ffff:10.0.0.7", true)]
    [InlineData("fe80::1-fe80::ff", "fe80::80", true)]
    [InlineData("fe80::/16", "fe81::1", false)]
    [InlineData("*", "", true)]
    [InlineData("", "127.0.0.1", false)]
    [InlineData("known", "9.9.9.9", true)]
    public void Hosts_are_ranges_networks_and_names(string text, string address, bool contained) =>
        Assert.Equal(contained, Hosts(text).Contains(address));

    [Theory]
    [InlineData("10.0.0.9-10.0.0.1")]
    [InlineData("10.0.0.1-fe80::1")]
    [InlineData("10.0.0.0/99")]
    [InlineData("unknown")]
    [InlineData("no host")]
    public void What_is_no_range_is_said(string text)
    {
        Assert.False(HostRanges.TryParse("127.0.0.1," + text, LookUp, out _, out string? error));
        Assert.Equal(text, error);
    }

    private static ConnectionPolicy? Enter(PolicyEngine engine, string user, string from) =>
        engine.Open(Request("shop", user, from), out _);

    private static PolicyRequest Request(string? host, string user, string from) =>
        new() { User = user, RemoteHost = from, Hostname = host, AddressSpace = "default" };

    private static Attach SenderTo(string address) => new()
    {
        Name = "s",
        Handle = 0,
        Role = Role.Sender,
        Target = new Target { Address = address },
        InitialDeliveryCount = 0,
    };

    private static HostRanges Hosts(string text) =>
        HostRanges.TryParse(text, LookUp, out HostRanges? hosts, out string? error) ? hosts
            : throw new ArgumentException(error);

    private static IReadOnlyList<IPAddress> LookUp(string host) =>
        host == "known" ? [IPAddress.Parse("9.9.9.9")] : [];
}
