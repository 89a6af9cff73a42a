using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Security.Access;

/// <summary>Rules beside the configured permissions: what they allow and forbid, also for names with wildcards.
/// </summary>
public sealed class AccessRulesTests
{
    private const Permission All = (Permission)4095;

    private static readonly Identity Admin = new("root", ["admin"], IsAnonymous: false);
    private static readonly Identity Alice = new("alice", ["team"], IsAnonymous: false);

    private readonly MemoryFileSystem _files = new();
    private readonly AccessRuleStore _store;
    private readonly Authorizer _authorizer;

    public AccessRulesTests()
    {
        _files.CreateDirectory("data");
        _store = AccessRuleStore.Open(_files, "data");
        _authorizer = AuthorizerOf(_store);
    }

    [Theory]
    [InlineData("news.", true, "news.sport", true)]
    [InlineData("news.", true, "news", false)]
    [InlineData("news.", true, "news.#", false)] // stands for "news" too
    [InlineData("news", true, "news.#", true)]
    [InlineData("news.s", true, "news.*", false)]
    [InlineData("*", false, "#", true)]
    [InlineData("*", false, "anything", true)]
    [InlineData("", true, "anything", null)]
    [InlineData("news.sport", false, "news.sport", true)]
    [InlineData("news.sport", false, "news.*", false)]
    [InlineData("news.sport", false, "news.spor", false)]
    public void Allows_only_what_it_covers_whole(string name, bool isPrefix, string asked, bool? expected)
    {
        AccessRule rule = Rule(name, isPrefix);
        if (expected is null)
        {
            Assert.NotNull(rule.Fault());
            return;
        }

        Add(rule);
        Assert.Equal(expected, Allowed(Alice, Permission.Consume, asked));
        Assert.False(Allowed(Alice, Permission.Send, asked));
    }

    [Theory]
    [InlineData("news.secret", false, "news.secret")]
    [InlineData("news.secret", false, "news.#")]
    [InlineData("news.secret", false, "#")]
    [InlineData("news.secret", false, "*.secret")]
    [InlineData("news.secret", true, "news.#")]
    [InlineData("news.secret", true, "news.secret.more")]
    [InlineData("*", false, "news.open")]
    public void Forbids_whatever_it_touches(string name, bool isPrefix, string asked)
    {
        Add(Rule("*", isPrefix: false), Rule(name, isPrefix) with { IsDenial = true });
        Assert.False(Allowed(Alice, Permission.Consume, asked));
        Assert.True(Allowed(Admin, Permission.Consume, asked));
    }

    [Fact]
    public void Forbids_nothing_else()
    {
        Add(Rule("*", isPrefix: false), Rule("news.secret", isPrefix: false) with { IsDenial = true });
        Assert.True(Allowed(Alice, Permission.Consume, "news.open"));
        Assert.True(Allowed(Alice, Permission.Consume, "news.open.#"));
    }

    [Fact]
    public void Is_for_whom_it_names()
    {
        var bob = new Identity("bob", ["alice"], IsAnonymous: false);
        var nobody = new Identity("alice", [], IsAnonymous: true);
        Add(Rule("t", isPrefix: false));
        Assert.False(Allowed(bob, Permission.Consume, "t"));
        Assert.False(Allowed(nobody, Permission.Consume, "t"));
        Add(Rule("t", isPrefix: false) with { Subject = RuleSubject.Role, SubjectName = "alice" });
        Assert.True(Allowed(bob, Permission.Consume, "t"));
        Add(Rule("u", isPrefix: false) with { Subject = RuleSubject.Everybody, SubjectName = "" });
        Assert.True(Allowed(Identity.Anonymous, Permission.Consume, "u"));
    }

    [Fact]
    public void Who_may_use_a_thing_may_see_it()
    {
        Add(Rule("t", isPrefix: false));
        Assert.True(Allowed(Alice, Permission.Consume | Permission.Browse | Permission.View, "t"));
        Assert.False(Allowed(Alice, Permission.Edit, "t"));
    }

    [Fact]
    public void Rules_of_one_address_space_are_nothing_to_another()
    {
        Add(Rule("t", isPrefix: false));
        Assert.False(_authorizer.IsAllowed(Alice, Permission.Consume, "blue", new AddressName("t", null)));
    }

    [Fact]
    public void Are_there_again_and_gone_when_removed()
    {
        Add(Rule("t", isPrefix: false), Rule("t", isPrefix: false), Rule("u", isPrefix: false));
        Authorizer again = AuthorizerOf(AccessRuleStore.Open(_files, "data"));
        Assert.True(again.IsAllowed(Alice, Permission.Consume, "default", new AddressName("t", null)));
        Assert.Equal(2, again.Rules.List(GrantOf(again)).Count);
        AccessRule removed = Assert.Single(again.Rules.Remove(GrantOf(again), rule => rule.Name == "t"));
        Assert.Equal("t", removed.Name);
        Assert.False(again.IsAllowed(Alice, Permission.Consume, "default", new AddressName("t", null)));
        Assert.Single(AuthorizerOf(AccessRuleStore.Open(_files, "data")).Rules.List(GrantOf(again)));
    }

    [Fact]
    public void A_damaged_file_stops_the_start()
    {
        WholeFile.Replace(_files, "data/" + AccessRuleStore.FileName, "{\"version\":1}"u8);
        Assert.Throws<StorageException>(() => AccessRuleStore.Open(_files, "data"));
        WholeFile.Replace(_files, "data/" + AccessRuleStore.FileName, "{\"version\":2,\"rules\":{}}"u8);
        Assert.Throws<StorageException>(() => AccessRuleStore.Open(_files, "data"));
    }

    private static AccessRule Rule(string name, bool isPrefix) => new(
        ResourceKind.Address, name, isPrefix, RuleSubject.User, "alice", RuleOperation.Read, IsDenial: false);

    private static Authorizer AuthorizerOf(AccessRuleStore store) => new(
        new SecurityConfig
        {
            Permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>
            {
                ["#"] = new Dictionary<string, Permission> { ["admin"] = All },
            },
        },
        new Dictionary<string, SecurityConfig?>(),
        store);

    private static Grant GrantOf(Authorizer authorizer) => authorizer.Authorize(
        Admin, Permission.Edit, "default", new AddressName("#", null), ResourceKind.Space);

    private void Add(params AccessRule[] rules) => _store.Add(GrantOf(_authorizer), rules);

    private bool Allowed(Identity who, Permission permission, string name) =>
        _authorizer.IsAllowed(who, permission, "default", new AddressName(name, null));
}
