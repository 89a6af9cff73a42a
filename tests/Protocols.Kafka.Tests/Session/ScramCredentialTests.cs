using System.Security.Cryptography;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;
using Salted = Pillarbox.Protocols.Kafka.Wire.Messages.AlterUserScramCredentialsRequest.ScramCredentialUpsertion;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>SCRAM verifiers that are set and shown over the protocol.</summary>
public sealed class ScramCredentialTests
{
    private const sbyte Sha256 = 1;
    private const sbyte Sha512 = 2;
    private const int Iterations = 4096;

    private static readonly KafkaOptions MustLogIn = new() { AllowAnonymous = false };

    private static readonly SecurityConfig Admins = new()
    {
        Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
        {
            ["#"] = new Dictionary<string, Permission> { ["admin"] = (Permission)4095 },
        },
    };

    [Fact]
    public async Task A_credential_that_is_set_logs_in_and_is_shown()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        await AlterAsync(admin, ErrorCode.None, [], [Salt("alice", Sha256, "one"), Salt("alice", Sha512, "one")]);
        KafkaPeer alice = scene.Connect();
        Assert.Equal(0, (await ScramAsync(alice, "SCRAM-SHA-256", "alice", "one")).ErrorCode);
        Assert.Equal(0, (await ScramAsync(scene.Connect(), "SCRAM-SHA-512", "alice", "one")).ErrorCode);
        Assert.Equal(
            (short)ErrorCode.SaslAuthenticationFailed,
            (await ScramAsync(scene.Connect(), "SCRAM-SHA-256", "alice", "two")).ErrorCode);
        Assert.Equal("1:4096, 2:4096", await ShownAsync(admin, "alice"));
    }

    [Fact]
    public async Task A_credential_takes_the_place_of_the_password_that_PLAIN_knew()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        await scene.ConnectAsync("alice", "client");
        await AlterAsync(admin, ErrorCode.None, [], [Salt("alice", Sha256, "new")]);
        Assert.Equal(
            (short)ErrorCode.SaslAuthenticationFailed, (await scene.Connect().LogInAsync("alice")).ErrorCode);
        Assert.Equal(0, (await ScramAsync(scene.Connect(), "SCRAM-SHA-256", "alice", "new")).ErrorCode);
        Assert.Equal(["client"], scene.Users.List().Single(u => u.Name == "alice").Roles);
    }

    [Fact]
    public async Task A_credential_that_is_deleted_logs_in_no_more()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        await AlterAsync(admin, ErrorCode.None, [], [Salt("alice", Sha256, "one")]);
        await AlterAsync(admin, ErrorCode.None, [("alice", Sha256)], []);
        Assert.Equal(
            (short)ErrorCode.SaslAuthenticationFailed,
            (await ScramAsync(scene.Connect(), "SCRAM-SHA-256", "alice", "one")).ErrorCode);
        await AlterAsync(admin, ErrorCode.ResourceNotFound, [("alice", Sha256)], []);
    }

    [Fact]
    public async Task What_cannot_be_is_refused()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins);
        KafkaPeer admin = await scene.ConnectAsync("root", "admin");
        Salted good = Salt("alice", Sha256, "one");
        await AlterAsync(admin, ErrorCode.UnacceptableCredential, [], [With(good, s => s.Iterations = 100)]);
        await AlterAsync(admin, ErrorCode.UnacceptableCredential, [], [With(good, s => s.Salt = [])]);
        await AlterAsync(admin, ErrorCode.UnacceptableCredential, [], [With(good, s => s.SaltedPassword = [1])]);
        await AlterAsync(admin, ErrorCode.UnacceptableCredential, [], [With(good, s => s.Name = "$node")]);
        await AlterAsync(admin, ErrorCode.UnsupportedSaslMechanism, [], [With(good, s => s.Mechanism = 0)]);
        await AlterAsync(admin, ErrorCode.DuplicateResource, [], [good, good]);
        Assert.DoesNotContain(scene.Users.List(), u => u.Name is "alice" or "$node");
        DescribeUserScramCredentialsResponse missing = await DescribeAsync(admin, "nobody");
        Assert.Equal((short)ErrorCode.ResourceNotFound, missing.Results[0].ErrorCode);
    }

    [Fact]
    public async Task Only_administrators_of_the_node_set_them()
    {
        await using var scene = new KafkaScene(MustLogIn, Admins, spaces: ["blue"]);
        KafkaPeer alice = await scene.ConnectAsync("alice");
        await AlterAsync(alice, ErrorCode.ClusterAuthorizationFailed, [], [Salt("root", Sha256, "x")]);
        KafkaPeer tenant = await scene.ConnectAsync("tenant", "admin", "blue");
        await AlterAsync(tenant, ErrorCode.ClusterAuthorizationFailed, [], [Salt("root", Sha256, "x")]);
        Assert.Equal(
            (short)ErrorCode.ClusterAuthorizationFailed, (await DescribeAsync(tenant, "alice")).ErrorCode);
    }

    private static Salted With(Salted from, Action<Salted> change)
    {
        var copy = new Salted
        {
            Name = from.Name,
            Mechanism = from.Mechanism,
            Iterations = from.Iterations,
            Salt = from.Salt,
            SaltedPassword = from.SaltedPassword,
        };
        change(copy);
        return copy;
    }

    private static Salted Salt(string user, sbyte mechanism, string password)
    {
        byte[] salt = Encoding.UTF8.GetBytes("salt of " + user);
        (HashAlgorithmName hash, int size) = mechanism == Sha256
            ? (HashAlgorithmName.SHA256, 32)
            : (HashAlgorithmName.SHA512, 64);
        return new()
        {
            Name = user,
            Mechanism = mechanism,
            Iterations = Iterations,
            Salt = salt,
            SaltedPassword = Rfc2898DeriveBytes.Pbkdf2(password, salt, Iterations, hash, size),
        };
    }

    private static async Task AlterAsync(
        KafkaPeer peer, ErrorCode expected, (string User, sbyte Mechanism)[] deletions, Salted[] upsertions)
    {
        AlterUserScramCredentialsResponse answer =
            await peer.AskAsync<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>(
                new()
                {
                    Deletions = Array.ConvertAll(
                        deletions,
                        d => new AlterUserScramCredentialsRequest.ScramCredentialDeletion
                        {
                            Name = d.User,
                            Mechanism = d.Mechanism,
                        }),
                    Upsertions = upsertions,
                },
                0);
        Assert.Equal(expected, (ErrorCode)Assert.Single(answer.Results).ErrorCode);
    }

    private static Task<DescribeUserScramCredentialsResponse> DescribeAsync(KafkaPeer peer, string user) =>
        peer.AskAsync<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>(
            new() { Users = [new() { Name = user }] }, 0);

    private static async Task<string> ShownAsync(KafkaPeer peer, string user) => string.Join(
        ", ",
        (await DescribeAsync(peer, user)).Results[0].CredentialInfos.Select(c => $"{c.Mechanism}:{c.Iterations}"));

    private static async Task<SaslAuthenticateResponse> ScramAsync(
        KafkaPeer peer, string mechanism, string user, string password)
    {
        await peer.AskAsync<SaslHandshakeRequest, SaslHandshakeResponse>(new() { Mechanism = mechanism }, 1);
        var credentials = new SaslCredentials { User = user, Password = new Secret(password) };
        ISaslClient client = SaslClients.Choose([mechanism], credentials, Model.SystemRandom.Instance)!;
        SaslAuthenticateResponse first = await StepAsync(peer, client.Start());
        return await StepAsync(peer, client.Step(first.AuthBytes));
    }

    private static Task<SaslAuthenticateResponse> StepAsync(KafkaPeer peer, byte[] token) =>
        peer.AskAsync<SaslAuthenticateRequest, SaslAuthenticateResponse>(new() { AuthBytes = token }, 2);
}
