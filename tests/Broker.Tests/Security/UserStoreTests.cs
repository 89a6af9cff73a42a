using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Security;

public sealed class UserStoreTests
{
    private readonly MemoryFileSystem _files = new();
    private readonly HandClock _clock = new();

    [Fact]
    public async Task A_user_is_added_logs_in_changes_and_goes()
    {
        using UserStore users = Open();
        Assert.True(users.IsEmpty);
        users.Add("ann", new Secret("pw"), ["clerks"]);
        Assert.False(users.IsEmpty);
        PasswordCheck check = await Verify(users, "ann", "pw");
        Assert.Equal(PasswordStatus.Right, check.Status);
        Assert.Equal(("ann", false), (check.Identity!.Name, check.Identity.IsAnonymous));
        Assert.Equal(["clerks"], check.Identity.Roles);
        Assert.Equal(PasswordStatus.Wrong, (await Verify(users, "ann", "PW")).Status);
        Assert.Equal(PasswordStatus.Wrong, (await Verify(users, "bob", "pw")).Status);

        users.SetPassword("ann", new Secret("new"));
        Assert.Equal(PasswordStatus.Wrong, (await Verify(users, "ann", "pw")).Status);
        Assert.Equal(PasswordStatus.Right, (await Verify(users, "ann", "new")).Status);

        users.SetRoles("ann", ["bosses"]);
        Assert.Equal(["bosses"], (await Verify(users, "ann", "new")).Identity!.Roles);

        users.Remove("ann");
        Assert.Equal(PasswordStatus.Wrong, (await Verify(users, "ann", "new")).Status);
        Assert.True(users.IsEmpty);
    }

    [Fact]
    public async Task Users_outlive_the_process()
    {
        using (UserStore users = Open())
        {
            users.Add("ann", new Secret("pw"), ["clerks"], ["dns:ann.example"]);
        }

        using UserStore again = Open();
        UserView view = Assert.Single(again.List());
        Assert.Equal(("ann", true), (view.Name, view.HasPassword));
        Assert.Equal(["dns:ann.example"], view.Certificates);
        Assert.Equal(PasswordStatus.Right, (await Verify(again, "ann", "pw")).Status);
    }

    [Fact]
    public void The_file_holds_no_password()
    {
        using UserStore users = Open();
        users.Add("ann", new Secret("canary-7261"), []);
        string text = ReadFile();
        Assert.Contains("ann", text, StringComparison.Ordinal);
        Assert.DoesNotContain("canary-7261", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String("canary-7261"u8), text, StringComparison.Ordinal);
        Assert.Equal("***", new Secret("canary-7261").ToString());
        Assert.Equal("***", $"{new Secret("canary-7261")}");
    }

    [Fact]
    public async Task A_change_by_another_process_is_seen_after_the_interval()
    {
        using UserStore node = Open();
        using UserStore tool = Open();
        tool.Add("ann", new Secret("pw"), []);
        Assert.Equal(PasswordStatus.Wrong, (await Verify(node, "ann", "pw")).Status);
        _clock.Advance(1001);
        Assert.Equal(PasswordStatus.Right, (await Verify(node, "ann", "pw")).Status);
        tool.Remove("ann");
        _clock.Advance(1001);
        Assert.Equal(PasswordStatus.Wrong, (await Verify(node, "ann", "pw")).Status);
    }

    [Fact]
    public async Task A_broken_change_keeps_the_users_and_is_told()
    {
        using UserStore node = Open();
        node.Add("ann", new Secret("pw"), []);
        WriteFile("{ broken");
        _clock.Advance(1001);
        Assert.Equal(PasswordStatus.Right, (await Verify(node, "ann", "pw")).Status);
        Assert.Contains("users.json", node.RefreshFault, StringComparison.Ordinal);
        Assert.Throws<StorageException>(() => node.Add("bob", new Secret("pw"), []));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"version":1,"nodeKey":"KEY","users":[{"name":"a","roles":[],"scram":null}]}""")]
    [InlineData("""{"version":1,"nodeKey":"KEY","users":[{"name":"a","roles":[null],"scram":[null]}]}""")]
    [InlineData("""{"version":2,"nodeKey":"","users":[]}""")]
    [InlineData("""{"version":1,"nodeKey":"AA==","users":[]}""")]
    [InlineData("""{"version":1,"nodeKey":"KEY","users":[{"name":"","roles":[]}]}""")]
    [InlineData("""{"version":1,"nodeKey":"KEY","users":[{"name":"a","roles":[],"extra":1}]}""")]
    [InlineData("""{"version":1,"nodeKey":"KEY","users":[{"name":"a","roles":[]},{"name":"a","roles":[]}]}""")]
    [InlineData("""{"version":1,"nodeKey":"KEY","users":[{"name":"a","roles":[],"plain":PLAIN}]}""")]
    public void A_file_that_is_none_is_refused_with_its_name(string text)
    {
        WriteFile(text.Replace("KEY", Convert.ToBase64String(new byte[32]), StringComparison.Ordinal)
            .Replace("PLAIN", """{"iterations":0,"salt":"","hash":""}""", StringComparison.Ordinal));
        StorageException refusal = Assert.Throws<StorageException>(Open);
        Assert.Contains("data/users.json", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    [Fact]
    public void Wrong_requests_are_refused()
    {
        using UserStore users = Open();
        users.Add("ann", new Secret("pw"), []);
        Assert.Equal(BrokerError.PreconditionFailed, Refusal(() => users.Add("ann", new Secret("x"), [])));
        Assert.Equal(BrokerError.InvalidField, Refusal(() => users.Add("", new Secret("x"), [])));
        Assert.Equal(BrokerError.InvalidField, Refusal(() => users.Add("$node", new Secret("x"), [])));
        Assert.Equal(BrokerError.InvalidField, Refusal(() => users.Add("a\nb", new Secret("x"), [])));
        Assert.Equal(BrokerError.InvalidField, Refusal(() => users.Add("a\u200Bb", new Secret("x"), [])));
        Assert.Equal(BrokerError.InvalidField, Refusal(() => users.Add("bob", new Secret(""), [])));
        Assert.Equal(BrokerError.NotFound, Refusal(() => users.Remove("bob")));
        Assert.Equal(BrokerError.NotFound, Refusal(() => users.SetPassword("bob", new Secret("x"))));
        static BrokerError Refusal(Action action) => Assert.Throws<BrokerException>(action).Error;
    }

    [Fact]
    public async Task A_right_password_is_remembered_for_a_minute_and_not_beyond_a_change()
    {
        using UserStore users = Open();
        users.Add("ann", new Secret("pw"), []);
        Assert.Null(users.FindVerified("ann", new Secret("pw")));
        await Verify(users, "ann", "pw");
        Assert.NotNull(users.FindVerified("ann", new Secret("pw")));
        Assert.Null(users.FindVerified("ann", new Secret("wrong")));
        Assert.Null(users.FindVerified("anna", new Secret("pw")));
        _clock.Advance(60_000);
        Assert.Null(users.FindVerified("ann", new Secret("pw")));
        await Verify(users, "ann", "pw");
        users.Add("bob", new Secret("x"), []);
        Assert.Null(users.FindVerified("ann", new Secret("pw")));
    }

    [Fact]
    public async Task Beyond_the_waiting_limit_logins_are_told_to_come_back()
    {
        using UserStore users = UserStore.Open(Options() with { ChecksWaitingMax = 0 });
        users.Add("ann", new Secret("pw"), []);
        Assert.Equal(PasswordStatus.Busy, (await Verify(users, "ann", "pw")).Status);
    }

    [Fact]
    public void A_crash_at_any_step_of_a_change_leaves_the_old_or_the_new_users()
    {
        using (UserStore users = Open())
        {
            users.Add("ann", new Secret("pw"), []);
        }

        // The new file stands half written beside the old one.
        using (IFile half = _files.Open("data/users.json.new", FileOpening.CreateNew))
        {
            half.Write(0, "{\"vers"u8);
        }

        using UserStore again = Open();
        Assert.Equal("ann", Assert.Single(again.List()).Name);
        again.Add("bob", new Secret("pw"), []);
        Assert.Equal(2, again.List().Count);
        Assert.False(_files.Exists("data/users.json.new"));
    }

    [Fact]
    public void Certificates_log_in_by_alternative_name_key_or_common_name()
    {
        using X509Certificate2 byDns = Certificate("CN=web", "web.example");
        using X509Certificate2 byKey = Certificate("CN=key", null);
        using X509Certificate2 byCommonName = Certificate("CN=common", null);
        using X509Certificate2 stranger = Certificate("CN=common", "other.example");
        string key = Convert.ToHexStringLower(SHA256.HashData(byKey.PublicKey.ExportSubjectPublicKeyInfo()));
        using UserStore users = Open();
        users.Add("web", null, [], ["dns:web.example"]);
        users.Add("keyed", null, ["r"], ["key:" + key]);
        users.Add("common", null, [], ["cn:common"]);
        Assert.Equal("web", users.FindByCertificate(byDns)?.Name);
        Assert.Equal("keyed", users.FindByCertificate(byKey)?.Name);
        Assert.Equal("common", users.FindByCertificate(byCommonName)?.Name);

        // With alternative names the common name counts for nothing.
        Assert.Null(users.FindByCertificate(stranger));
        Assert.Throws<BrokerException>(() => users.Add("thief", null, [], ["dns:web.example"]));
    }

    private static X509Certificate2 Certificate(string subject, string? dns)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (dns is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(dns);
            names.AddEmailAddress("someone@example");
            names.AddIpAddress(System.Net.IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }

    private static async Task<PasswordCheck> Verify(UserStore users, string name, string password) =>
        await users.VerifyAsync(name, new Secret(password), TestContext.Current.CancellationToken);

    private UserStore Open() => UserStore.Open(Options());

    private UserStoreOptions Options() => new()
    {
        FileSystem = _files,
        Path = "data/users.json",
        Time = _clock,
        Random = new SeededRandom(1),
        PlainIterations = 2,
        ScramIterations = ScramHash.IterationsMin,
    };

    private string ReadFile()
    {
        using IFile file = _files.Open("data/users.json", FileOpening.Read);
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private void WriteFile(string text)
    {
        _files.Delete("data/users.json");
        using IFile file = _files.Open("data/users.json", FileOpening.CreateNew);
        file.Write(0, Encoding.UTF8.GetBytes(text));
    }
}
