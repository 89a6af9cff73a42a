using Pillarbox.Broker.Security;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.RouterConf;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router;
using Pillarbox.Router.LinkState;
using Xunit;

namespace Pillarbox.Hosting.Tests.RouterConf;

/// <summary>What a <c>qdrouterd.conf</c> says becomes a node's configuration, or an error with its line.</summary>
public sealed class ConfMapperTests
{
    [Fact]
    public void A_router_with_its_listeners_and_connectors()
    {
        RouterConfFile file = Parse(
            """
            router {
                mode: interior
                id: A
                helloMaxAgeSeconds: 5
                workerThreads: 4
            }
            listener {
                name: clients
                port: amqp
            }
            listener {
                host: ::1
                port: 0
                role: inter-router
                cost: 7
            }
            connector {
                name: west
                role: edge
                host: west.example.org
                port: 20002
                saslUsername: me
                saslPassword: pass:a:b
                failoverUrls: amqp://one.example.org:1, two.example.org
            }
            address {
                pattern: a/#
                distribution: multicast
            }
            address {
                prefix: q
                waypoint: yes
            }
            """);

        RouterSection router = file.Config.Router!;
        Assert.Equal((RouterMode.Interior, "A", 5000, 1000),
            (router.Mode, router.Id, router.HelloMaxAgeMs, router.HelloIntervalMs));
        Assert.Equal(["*:5672"], file.Config.Listeners["clients"].Addresses);
        ListenerConfig peers = file.Config.Listeners["listener/2"];
        Assert.Equal((ConnectionRole.InterRouter, 7, "[::1]:0"), (peers.Role, peers.Cost, peers.Addresses[0]));
        ConnectorConfig west = router.Connectors["west"];
        Assert.Equal((ConnectionRole.Edge, "me"), (west.Role, west.User));
        Assert.Equal("a:b"u8.ToArray(), west.Password!.Reveal().ToArray());
        Assert.Equal(["west.example.org:20002", "one.example.org:1", "two.example.org:5672"], west.Addresses);
        Assert.Equal((AddressTreatment.Multicast, "a/#"),
            (router.Addresses[0].Distribution, router.Addresses[0].Pattern));
        Assert.True(router.Addresses[1].Waypoint);
        Assert.Equal(PillarboxConfig.InMemory, file.Config.DataDirectory);
        Assert.True(file.Config.Security.AllowAnonymous);
        Assert.Contains("workerThreads", Assert.Single(file.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Tcp_services_are_those_of_the_node()
    {
        RouterConfFile file = Parse(
            """
            router {
                id: A
            }
            tcpListener {
                name: database
                host: 127.0.0.1
                port: 15432
                address: db
                siteId: north
            }
            tcpConnector {
                port: 5432
                address: db
            }
            tcpConnector {
                host: other.example.org
                port: 5432
                address: db
            }
            """);
        RouterSection router = file.Config.Router!;
        Assert.Equal(["127.0.0.1:15432"], router.TcpListeners["db"]);
        Assert.Equal(["127.0.0.1:5432", "other.example.org:5432"], router.TcpConnectors["db"]);
        Assert.Contains("siteId", Assert.Single(file.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_with_a_virtual_host()
    {
        RouterConfFile file = Parse(
            """
            router {
                mode: interior
                id: A
            }
            policy {
                maxConnections: 99
                enableVhostPolicy: true
                defaultVhost:
                maxMessageSize: 1000
            }
            vhost {
                hostname: shop.example.org
                aliases: shop, store
                maxConnections: 20
                allowUnknownUser: true
                groups: {
                    "staff": {
                        "users": "ann, bob",
                        "remoteHosts": "10.0.0.1-10.0.0.9, *",
                        "maxSenders": 3,
                        "allowAnonymousSender": true,
                        "allowWaypointLinks": "false",
                        "sources": ["news", "own-${user}*"],
                        "targetPattern": "${user}.#"
                    },
                    "$default": { "remoteHosts": "*" }
                }
            }
            listener {
                port: 5672
                policyVhost: shop.example.org
                failoverUrls: amqps://other.example.org, amqp://third.example.org:7
                openProperties: {
                    "site": "north",
                    "level": 3
                }
            }
            address {
                prefix: fast
                priority: 9
            }
            """);

        RouterSection router = file.Config.Router!;
        Assert.Equal((99, 1000L, true, ""), (router.Policy.MaxConnections, router.Policy.MaxMessageSize,
            router.Policy.EnableVhostPolicy, router.Policy.DefaultVhost));
        VhostConfig vhost = router.Vhosts["shop.example.org"];
        Assert.Equal((20, 65535, true), (vhost.MaxConnections, vhost.MaxConnectionsPerUser, vhost.AllowUnknownUser));
        Assert.Equal(["shop", "store"], vhost.Aliases);
        VhostGroupConfig staff = vhost.Groups["staff"];
        Assert.Equal(["ann", "bob"], staff.Users);
        Assert.Equal(["news", "own-${user}*"], staff.Sources);
        Assert.Equal(["${user}.#"], staff.TargetPattern);
        Assert.Equal((3, int.MaxValue), (staff.MaxSenders, staff.MaxReceivers));
        Assert.Equal((true, false, true, false), (staff.AllowAnonymousSender, staff.AllowWaypointLinks,
            staff.AllowFallbackLinks, staff.AllowDynamicSource));
        ListenerConfig listener = file.Config.Listeners.Values.Single();
        Assert.Equal("shop.example.org", listener.PolicyVhost);
        Assert.Equal(["amqps://other.example.org:5671", "third.example.org:7"], listener.FailoverUrls);
        Assert.Equal(("north", "3"), (listener.OpenProperties["site"], listener.OpenProperties["level"]));
        Assert.Equal(9, router.Addresses[0].Priority);
    }

    [Theory]
    [InlineData("\"maxSender\": 1", "did you mean 'maxSenders'")]
    [InlineData("\"maxSenders\": \"many\"", "'maxSenders' must be a number")]
    [InlineData("\"allowDynamicSource\": \"perhaps\"", "must be yes or no")]
    public void What_is_wrong_with_a_group_is_said(string setting, string expected)
    {
        ConfigException fault = Assert.Throws<ConfigException>(() => Parse(
            "router {\n}\nvhost {\n hostname: x\n groups: {\n \"g\": {\n" + setting + "\n}\n}\n}\n"));
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.Contains(":3:", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Virtual_hosts_of_a_directory_are_read_and_one_name_twice_is_refused()
    {
        string directory = Directory.CreateTempSubdirectory("pillarbox-policy-").FullName;
        try
        {
            File.WriteAllText(
                Path.Combine(directory, "one.json"),
                """[["vhost", {"hostname": "one", "groups": {"$default": {"remoteHosts": "*"}}}]]""");
            var section = new RouterSection { Policy = new RouterPolicyConfig { PolicyDir = directory } };
            Assert.Equal(["one"], NodePolicy.VhostsOf(section).Keys);
            section = section with { Vhosts = new Dictionary<string, VhostConfig> { ["one"] = new() } };
            Assert.Throws<ConfigException>(() => NodePolicy.VhostsOf(section));
            File.WriteAllText(Path.Combine(directory, "two.json"), """[["listener", {"port": "1"}]]""");
            Assert.Throws<ConfigException>(() => NodePolicy.VhostsOf(section));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void A_user_in_two_groups_is_refused()
    {
        var group = new VhostGroupConfig { Users = ["ann"], RemoteHosts = ["*"] };
        var vhosts = new Dictionary<string, VhostConfig>
        {
            ["x"] = new() { Groups = new Dictionary<string, VhostGroupConfig> { ["a"] = group, ["b"] = group } },
        };
        ConfigException fault =
            Assert.Throws<ConfigException>(() => NodePolicy.RulesOf(new RouterPolicyConfig(), vhosts));
        Assert.Contains("'ann' is in more than one group", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_profile_may_stand_behind_what_names_it()
    {
        RouterConfFile file = Parse(
            """
            listener {
                port: amqps
                sslProfile: p
                authenticatePeer: yes
                requireSsl: yes
            }
            connector {
                sslProfile: p
                verifyHostname: no
            }
            sslProfile {
                name: p
                certFile: c.pem
                privateKeyFile: k.pem
                caCertFile: ca.pem
                password: literal:secret
            }
            """);
        ListenerConfig listener = file.Config.Listeners["listener/1"];
        Assert.Equal("*:5671", listener.Addresses[0]);
        Assert.Equal(("c.pem", "k.pem", "ca.pem", ClientCertificateMode.Allow), (listener.Tls!.Certificate,
            listener.Tls.Key, listener.Tls.ClientAuthorities, listener.Tls.ClientCertificates));
        Assert.Equal("secret"u8.ToArray(), listener.Tls.Password!.Reveal().ToArray());
        ConnectorTlsConfig tls = file.Config.Router!.Connectors["connector/1"].Tls!;
        Assert.Equal(("ca.pem", "c.pem", false), (tls.Authorities, tls.Certificate, tls.VerifyName));
        Assert.False(file.Config.Security.AllowAnonymous);
        Assert.True(file.Config.Security.Required);
    }

    [Fact]
    public void Each_listener_and_connector_has_limits_of_its_own()
    {
        RouterConfFile file = Parse(
            """
            listener {
                name: narrow
                host: 127.0.0.1
                saslMechanisms: EXTERNAL, GSSAPI ANONYMOUS
                maxFrameSize: 2048
                maxSessions: 5
                maxSessionFrames: 100
                idleTimeoutSeconds: 8
                initialHandshakeTimeoutSeconds: 3
                linkCapacity: 7
                stripAnnotations: in
            }
            listener {
                name: usual
                host: 127.0.0.1
                maxSessionFrames: 0
                initialHandshakeTimeoutSeconds: 0
            }
            connector {
                idleTimeoutSeconds: 0
                saslMechanisms: PLAIN
            }
            """);
        ConnectionsConfig narrow = file.Config.Listeners["narrow"].Connections!;
        Assert.Equal(["EXTERNAL", "ANONYMOUS"], narrow.Mechanisms);
        Assert.Equal(
            (2048, 5, 100, 8000, 3000, 7, true),
            (narrow.FrameBytesMax, narrow.SessionsMax, narrow.SessionFramesMax, narrow.IdleTimeoutMs,
                narrow.HandshakeTimeoutMs, narrow.LinkCapacity, narrow.ShowsRouterNotes));
        ConnectionsConfig usual = file.Config.Listeners["usual"].Connections!;
        Assert.Equal(new ConnectionsConfig { Mechanisms = usual.Mechanisms }, usual);
        ConnectionsConfig connector = file.Config.Router!.Connectors["connector/1"].Connections!;
        Assert.Equal((0, "PLAIN"), (connector.IdleTimeoutMs, connector.Mechanisms.Single()));
        Assert.Empty(file.Notes);
    }

    [Fact]
    public void Listeners_that_ask_for_a_login_stand_beside_others()
    {
        RouterConfFile file = Parse(
            """
            listener {
                name: clients
                host: 127.0.0.1
            }
            listener {
                name: open
                authenticatePeer: no
            }
            listener {
                name: routers
                role: inter-router
                authenticatePeer: yes
            }
            router {
                mode: interior
            }
            """);
        Assert.Equal(
            [("clients", false), ("open", false), ("routers", true)],
            file.Config.Listeners.Select(l => (l.Key, l.Value.Connections!.LoginRequired!.Value)).Order());
        SecuritySection security = file.Config.Security;
        Assert.Equal((true, false), (security.Required, security.AllowAnonymous));
        Permission anonymous = security.Permissions["#"]["anonymous"].Single();
        Assert.True(anonymous.HasFlag(Permission.Send | Permission.Consume));
        Assert.False(anonymous.HasFlag(Permission.Manage));
        Assert.True(security.Permissions["#"]["authenticated"].Single().HasFlag(Permission.Manage));
        Assert.Null(file.ExposedListener);
    }

    [Fact]
    public void With_a_file_of_users_whoever_has_not_logged_in_manages_nothing()
    {
        RouterConfFile file = RouterConfFile.Parse("conf", "listener {\nhost: 127.0.0.1\n}", "users.json");
        SecuritySection security = file.Config.Security;
        Assert.Equal(("users.json", true), (security.UsersFile, security.Required));
        Assert.False(file.Config.Listeners.Values.Single().Connections!.LoginRequired);
        Permission anonymous = security.Permissions["#"]["anonymous"].Single();
        Assert.True(anonymous.HasFlag(Permission.Send | Permission.Consume));
        Assert.False(anonymous.HasFlag(Permission.Manage));
        Assert.True(security.Permissions["#"]["admin"].Single().HasFlag(Permission.Manage));
        ConfigException fault = Assert.Throws<ConfigException>(
            () => RouterConfFile.Parse("conf", "listener {\nport: 1\n}", "users.json"));
        Assert.Contains("anybody could connect", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_of_http_can_be_shut_and_what_the_operator_calls_things_is_kept()
    {
        RouterConfFile file = Parse(
            """
            listener {
                name: web
                host: 127.0.0.1
                http: yes
                websockets: no
                healthz: no
                metrics: no
            }
            listener {
                name: usual
                host: 127.0.0.1
                http: yes
            }
            address {
                name: news
                prefix: news
            }
            tcpListener {
                name: db-in
                port: 15432
                address: db
            }
            tcpConnector {
                port: 5432
                address: db
            }
            tcpConnector {
                name: db-two
                port: 5433
                address: db
            }
            log {
                module: DEFAULT
                includeTimestamp: no
            }
            """);
        ListenerConfig web = file.Config.Listeners["web"];
        Assert.Equal((false, false, false), (web.WebSockets, web.Health, web.Metrics));
        ListenerConfig usual = file.Config.Listeners["usual"];
        Assert.Equal((true, true, true), (usual.WebSockets, usual.Health, usual.Metrics));
        RouterSection router = file.Config.Router!;
        Assert.Equal("news", router.Addresses[0].Name);
        Assert.Equal(("db-in", "db-two"),
            (router.ServiceNames["tcpListener/db"], router.ServiceNames["tcpConnector/db/2"]));
        Assert.False(file.Logs[0].HasTime);
        Assert.Empty(file.Notes);
    }

    [Theory]
    [InlineData("", "listener/1")]
    [InlineData("authenticatePeer: no", null)]
    [InlineData("host: 127.0.0.1", null)]
    public void A_listener_is_open_to_a_network_only_when_the_file_says_so(string attribute, string? exposed)
    {
        RouterConfFile file = Parse($"listener {{\nport: 1\n{attribute}\n}}");
        Assert.Equal(exposed, file.ExposedListener);
    }

    [Fact]
    public void A_profile_says_how_certificates_name_users_and_which_versions_are_taken()
    {
        RouterConfFile file = Parse(
            """
            listener {
                sslProfile: p
                authenticatePeer: yes
            }
            sslProfile {
                name: p
                certFile: c.pem
                caCertFile: ca.pem
                protocols: TLSv1.1 TLSv1.2
                uidFormat: o;n
                uidNameMappingFile: names.json
            }
            """);
        TlsConfig tls = file.Config.Listeners["listener/1"].Tls!;
        Assert.Equal(("o;n", "names.json"), (tls.ClientNames!.Format, tls.ClientNames.NamesFile));
        Assert.Equal(("1.2", "1.2"), (tls.OldestVersion, tls.NewestVersion));
        Assert.Equal(["authenticated"], tls.ClientNames.Roles);
    }

    [Fact]
    public void Links_to_brokers_are_taken()
    {
        RouterConfFile file = Parse(
            """
            connector {
                name: broker
                role: route-container
            }
            address {
                prefix: work
                enableFallback: yes
            }
            autoLink {
                addr: work
                dir: out
                connection: broker
                externalAddr: q.work
                fallback: yes
            }
            autoLink {
                name: back
                address: work
                direction: in
                containerId: b1
                phase: 3
            }
            linkRoute {
                prefix: $coordinator
                direction: in
                connection: broker
            }
            linkRoute {
                pattern: a.*.b
                dir: out
                containerId: b1
                addExternalPrefix: x.
                delExternalPrefix: a.
                distribution: linkBalanced
            }
            """);
        RouterSection router = file.Config.Router!;
        Assert.True(router.Addresses[0].EnableFallback);
        Assert.Equal(
            [
                new AutoLinkConfig
                {
                    Address = "work", Direction = LinkDirection.Out, Connection = "broker", ExternalAddress = "q.work",
                    Fallback = true,
                },
                new AutoLinkConfig
                {
                    Name = "back", Address = "work", Direction = LinkDirection.In, ContainerId = "b1", Phase = 3,
                },
            ],
            router.AutoLinks);
        Assert.Equal(
            [
                new LinkRouteConfig { Prefix = "$coordinator", Direction = LinkDirection.In, Connection = "broker" },
                new LinkRouteConfig
                {
                    Pattern = "a.*.b", Direction = LinkDirection.Out, ContainerId = "b1", AddExternalPrefix = "x.",
                    DelExternalPrefix = "a.",
                },
            ],
            router.LinkRoutes);
        Assert.Contains("linkRoute.distribution", Assert.Single(file.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Modules_are_logged_at_their_levels()
    {
        RouterConfFile file = Parse(
            """
            log {
                module: DEFAULT
                enable: notice+
                outputFile: router.log
            }
            log {
                module: ROUTER_LS
                enable: debug, error
            }
            log {
                module: AGENT
                enable: none
            }
            """);
        Assert.Equal("router.log", file.Logs[0].OutputFile);
        Assert.Equal(
            [RouterLogLevel.Notice, RouterLogLevel.Warning, RouterLogLevel.Error, RouterLogLevel.Critical],
            file.Logs[0].Enabled!.Order());
        Assert.Equal([RouterLogLevel.Debug, RouterLogLevel.Error], file.Logs[1].Enabled!.Order());
        Assert.Empty(file.Logs[2].Enabled!);
    }

    [Theory]
    [InlineData("routre {\n}", "conf:1: there is no entity 'routre'; did you mean 'router'?")]
    [InlineData("router {\nmode: interor\n}", "conf:1: 'mode' must be standalone, interior, edge, not 'interor'")]
    [InlineData("\nlistener {\nprot: 1\n}", "conf:2: 'listener' has no attribute 'prot'; did you mean 'port'?")]
    [InlineData("listener {\nport: 70000\n}", "conf:1: 'port' must be a number from 0 to 65535, not '70000'")]
    [InlineData("listener {\nhttp: perhaps\n}", "conf:1: 'http' must be yes or no, not 'perhaps'")]
    [InlineData("listener {\nrequireSsl: yes\n}", "conf:1: demands TLS, and needs an 'sslProfile' for it")]
    [InlineData("listener {\nsslProfile: x\n}", "conf:1: there is no sslProfile 'x'")]
    [InlineData("connector {\nsslProfile: x\n}", "conf:1: there is no sslProfile 'x'")]
    [InlineData("connector {\nsaslPassword: env:PILLARBOX_NO_SUCH_VARIABLE\n}", "is not set")]
    [InlineData("connector {\nsaslPassword: file:/no/such/file\n}", "conf:1: cannot read the password file")]
    [InlineData("address {\ndistribution: closest\n}",
        "conf:1: 'router.config.address' needs either 'prefix' or 'pattern'")]
    [InlineData("autoLink {\naddress: a\ndirection: in\n}",
        "conf:1: 'router.config.autoLink' needs either 'connection' or 'containerId'")]
    [InlineData("autoLink {\naddress: a\ndirection: up\nconnection: c\n}",
        "conf:1: 'direction' must be in, out, not 'up'")]
    [InlineData("linkRoute {\ndirection: in\nconnection: c\n}",
        "conf:1: 'router.config.linkRoute' needs either 'prefix' or 'pattern'")]
    [InlineData("exchange {\nname: x\n}", "conf:1: the entity 'router.config.exchange' is not taken: ")]
    [InlineData("log {\nmodule: NONE\n}", "conf:1: there is no module 'NONE'")]
    [InlineData("log {\nmodule: AGENT\nenable: loud\n}", "conf:1: 'enable' must hold levels such as info+ or debug")]
    [InlineData("router {\n}\nrouter {\n}", "conf:3: there is a second 'router'")]
    [InlineData("listener {\nport: 1\n}\nlistener {\nport: 2\nauthenticatePeer: yes\n}",
        "conf: anybody could connect to the listener 'listener/1', others ask for a login")]
    [InlineData("listener {\nsaslMechanisms: GSSAPI\n}", "conf:1: of 'saslMechanisms' none is known")]
    [InlineData("listener {\nsslProfile: p\n}\nsslProfile {\nname: p\ncertFile: c\nprotocols: TLSv1.1\n}",
        "conf:4: 'protocols' must name TLSv1.2 or TLSv1.3")]
    [InlineData(
        "listener {\nsslProfile: p\n}\nsslProfile {\nname: p\ncertFile: c\ncaCertFile: a\nuidFormat: n;x\n}",
        "conf:4: 'uidFormat' must be letters")]
    [InlineData(
        "sslProfile {\nname: p\n}\nsslProfile {\nname: p\n}", "conf:4: there is a second sslProfile with the name 'p'")]
    [InlineData("address {\nname: a\nprefix: x\n}\naddress {\nname: a\nprefix: y\n}",
        "conf:5: there is a second address with the name 'a'")]
    [InlineData("tcpListener {\nname: a\nport: 1\naddress: x\n}\ntcpListener {\nname: a\nport: 2\naddress: y\n}",
        "conf:6: there is a second tcpListener with the name 'a'")]
    [InlineData("router {\nid: x", "conf: section 'router' of line 1 is not ended")]
    public void What_is_wrong_is_said_with_its_line(string conf, string sentence)
    {
        ConfigException fault = Assert.Throws<ConfigException>(() => Parse(conf));
        Assert.Contains(sentence, fault.Message, StringComparison.Ordinal);
    }

    private static RouterConfFile Parse(string text) => RouterConfFile.Parse("conf", text);
}
