using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Wire;
using Pillarbox.Storage;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>CONNECT and CONNACK, logins, enhanced authentication, take-over (MQTT 5.0 §3.1, §3.2, §4.12).</summary>
public sealed class ConnectTests
{
    [Fact]
    public async Task A_client_without_an_identifier_gets_one()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("");
        string? assigned = client.Admission.Text(PropertyId.AssignedClientIdentifier);
        Assert.StartsWith("auto-", assigned, StringComparison.Ordinal);
        Assert.Equal(1024u, client.Admission.Number(PropertyId.ReceiveMaximum));
        await scene.ConnectAsync("", MqttVersion.V311);
        MqttPeer old = scene.Peer(MqttVersion.V311);
        ConnAckPacket refusal = await old.ConnectAsync(new ConnectPacket { Version = MqttVersion.V311 });
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, refusal.Reason);
        await old.AssertEndedAsync();
    }

    [Fact]
    public async Task Response_information_and_keep_alive_are_told()
    {
        await using var scene = new MqttScene(new MqttOptions { KeepAliveSecondsMax = 60 });
        MqttPeer client = await scene.ConnectAsync("c", with: c => c with { RequestResponseInformation = true });
        Assert.Equal("response/c", client.Admission.Text(PropertyId.ResponseInformation));
        Assert.Equal(60u, client.Admission.Number(PropertyId.ServerKeepAlive));
    }

    [Fact]
    public async Task A_silent_client_is_cut_off_after_one_and_a_half_times_its_keep_alive()
    {
        await using var scene = new MqttScene();
        MqttPeer client = await scene.ConnectAsync("c", with: c => c with { KeepAlive = 10 });
        scene.Clock.Advance(14_000);
        await client.AssertQuietAsync();
        scene.Clock.Advance(16_000);
        Assert.Equal(ReasonCode.KeepAliveTimeout, await client.ExpectEndAsync());
    }

    [Fact]
    public async Task Who_does_not_finish_the_login_is_cut_off()
    {
        await using var scene = new MqttScene();
        MqttPeer client = scene.Peer();
        await client.SendAsync([0x10]);
        scene.Clock.Advance(11_000);
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task A_version_that_is_not_spoken_is_told_so()
    {
        await using var scene = new MqttScene();
        MqttPeer client = scene.Peer(MqttVersion.V311);
        await client.SendAsync(Convert.FromHexString("100D00044D515454060200000000" + "00"));
        (FixedHeader header, byte[] body) = await client.TakeAsync();
        Assert.Equal((PacketType.ConnAck, 1), (header.Type, body[1]));
        await client.AssertEndedAsync();
    }

    [Fact]
    public async Task Another_server_is_named_when_the_operator_says_so()
    {
        await using var scene = new MqttScene(new MqttOptions { ServerReference = "other:1883" });
        ConnAckPacket answer = await scene.Peer().ConnectAsync(new ConnectPacket { ClientId = "c" });
        Assert.Equal(ReasonCode.UseAnotherServer, answer.Reason);
        Assert.Equal("other:1883", answer.Text(PropertyId.ServerReference));
    }

    [Theory]
    [InlineData("ann", "right", 0)]
    [InlineData("ann", "wrong", 0x86)]
    [InlineData("bob", "right", 0x86)]
    [InlineData(null, null, 0x87)]
    public async Task A_password_lets_in_who_knows_it(string? user, string? password, int reason)
    {
        using UserStore users = Users();
        await using var scene = new MqttScene(new MqttOptions { AllowAnonymous = false }, null, users);
        ConnAckPacket answer = await scene.Peer().ConnectAsync(new ConnectPacket
        {
            ClientId = "c",
            UserName = user,
            Password = password is null ? null : Encoding.UTF8.GetBytes(password),
        });
        Assert.Equal(reason, (int)answer.Reason);
    }

    [Fact]
    public async Task A_client_identifier_is_its_users_alone()
    {
        using UserStore users = Users();
        users.Add("eve", Secret("other"), ["client"]);
        await using var scene = new MqttScene(new MqttOptions { AllowAnonymous = false }, null, users);
        MqttPeer ann = await scene.ConnectAsync("device", clean: false, expiry: 1000, with: As("ann", "right"));
        MqttPeer eve = scene.Peer();
        var thief = new ConnectPacket { ClientId = "device", CleanStart = true };
        Assert.Equal(ReasonCode.NotAuthorized, (await eve.ConnectAsync(As("eve", "other")(thief))).Reason);
        await ann.AssertQuietAsync();
        await ann.CutAsync();
        eve = scene.Peer();
        Assert.Equal(ReasonCode.NotAuthorized, (await eve.ConnectAsync(As("eve", "other")(thief))).Reason);
        ann = await scene.ConnectAsync("device", clean: false, expiry: 1000, with: As("ann", "right"));
        Assert.True(ann.Admission.SessionPresent);
    }

    [Fact]
    public async Task Scram_lets_in_by_enhanced_authentication_and_again()
    {
        using UserStore users = Users();
        await using var scene = new MqttScene(new MqttOptions { AllowAnonymous = false }, null, users);
        MqttPeer peer = scene.Peer();
        ISaslClient scram = Scram("right");
        await peer.SendAsync(to => new ConnectPacket
        {
            ClientId = "c",
            AuthenticationMethod = scram.Mechanism,
            AuthenticationData = scram.Start(),
        }.Write(to));
        await AnswerAsync(peer, scram);
        (FixedHeader header, byte[] body) = await peer.TakeAsync();
        Assert.Equal(PacketType.ConnAck, header.Type);
        ConnAckPacket admission = ConnAckPacket.Read(body, MqttVersion.V5);
        Assert.Equal(ReasonCode.Success, admission.Reason);
        Assert.Equal("SCRAM-SHA-256", admission.Text(PropertyId.AuthenticationMethod));
        scram.Finish(Encoding.UTF8.GetBytes(admission.Text(PropertyId.AuthenticationData)!));

        scram = Scram("right");
        await peer.SendAsync(to => new AuthPacket(ReasonCode.ReAuthenticate)
        {
            Method = scram.Mechanism,
            Data = scram.Start(),
        }.Write(to));
        await AnswerAsync(peer, scram);
        (header, body) = await peer.TakeAsync();
        Assert.Equal((PacketType.Auth, ReasonCode.Success), (header.Type, AuthPacket.Read(body).Reason));
        scram.Finish(AuthPacket.Read(body).Data);

        scram = Scram("wrong");
        await peer.SendAsync(to => new AuthPacket(ReasonCode.ReAuthenticate)
        {
            Method = scram.Mechanism,
            Data = scram.Start(),
        }.Write(to));
        await AnswerAsync(peer, scram);
        Assert.Equal(ReasonCode.NotAuthorized, await peer.ExpectEndAsync());
    }

    [Fact]
    public async Task A_method_that_is_not_offered_is_refused()
    {
        await using var scene = new MqttScene();
        ConnAckPacket answer = await scene.Peer().ConnectAsync(
            new ConnectPacket { ClientId = "c", AuthenticationMethod = "MAGIC" });
        Assert.Equal(ReasonCode.BadAuthenticationMethod, answer.Reason);
    }

    private static Func<ConnectPacket, ConnectPacket> As(string user, string password) =>
        connect => connect with { UserName = user, Password = Encoding.UTF8.GetBytes(password) };

    private static Secret Secret(string text) => new(Encoding.UTF8.GetBytes(text));

    private static UserStore Users()
    {
        UserStore users = UserStore.Open(new UserStoreOptions
        {
            FileSystem = new MemoryFileSystem(),
            Path = "users.json",
            PlainIterations = 1000,
            ScramIterations = 4096,
        });
        users.Add("ann", Secret("right"), ["client"]);
        return users;
    }

    private static ISaslClient Scram(string password) => SaslClients.Choose(
        [SaslServers.ScramSha256], new SaslCredentials { User = "ann", Password = Secret(password) },
        SystemRandom.Instance)!;

    private static async Task AnswerAsync(MqttPeer peer, ISaslClient scram)
    {
        (FixedHeader header, byte[] body) = await peer.TakeAsync();
        Assert.Equal(PacketType.Auth, header.Type);
        AuthPacket challenge = AuthPacket.Read(body);
        Assert.Equal(ReasonCode.ContinueAuthentication, challenge.Reason);
        byte[] answer = scram.Step(challenge.Data);
        await peer.SendAsync(to => new AuthPacket(ReasonCode.ContinueAuthentication)
        {
            Method = scram.Mechanism,
            Data = answer,
        }.Write(to));
    }
}
