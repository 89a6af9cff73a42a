using Pillarbox.Broker.Routing;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Tests.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Security;

public sealed class AuthorizerTests
{
    private static readonly Identity Ann = new("ann", ["clerks"], IsAnonymous: false);

    [Fact]
    public void In_development_mode_everybody_may_do_everything()
    {
        var authorizer = new Authorizer(null);
        Grant grant = authorizer.Authorize(Identity.Anonymous, Permission.Manage, "default", Name("a::b"));
        Assert.Equal(("default", "a", "b"), (grant.AddressSpace, grant.Address, grant.Queue));
        Assert.Equal((Identity.Anonymous, Permission.Manage), (grant.Identity, grant.Permission));
    }

    [Fact]
    public void What_no_block_matches_is_denied()
    {
        Authorizer authorizer = Make(("orders.#", "clerks", Permission.Send));
        Assert.True(authorizer.IsAllowed(Ann, Permission.Send, Name("orders.eu")));
        Assert.False(authorizer.IsAllowed(Ann, Permission.Send, Name("bills")));
        Assert.False(Make().IsAllowed(Ann, Permission.Send, Name("orders")));
    }

    [Fact]
    public void A_refusal_names_user_permission_and_address()
    {
        Authorizer authorizer = Make(("orders.#", "clerks", Permission.Send));
        BrokerException refusal = Assert.Throws<BrokerException>(
            () => authorizer.Authorize(Ann, Permission.CreateDurableQueue, "default", Name("orders.eu")));
        Assert.Equal(BrokerError.Unauthorized, refusal.Error);
        Assert.Contains("\"ann\"", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("createDurableQueue", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("\"orders.eu\"", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_do_not_merge()
    {
        Authorizer authorizer = Make(
            ("#", "clerks", Permission.Send | Permission.Consume), ("orders.*", "clerks", Permission.Send));
        Assert.True(authorizer.IsAllowed(Ann, Permission.Consume, Name("bills")));
        Assert.False(authorizer.IsAllowed(Ann, Permission.Consume, Name("orders.eu")));
        Assert.True(authorizer.IsAllowed(Ann, Permission.Consume, Name("orders.eu.de")));
    }

    [Fact]
    public void Several_permissions_are_all_needed_and_roles_add_up()
    {
        Authorizer authorizer = Make(("#", "clerks", Permission.Send), ("#", "readers", Permission.Consume));
        var both = new Identity("bob", ["clerks", "readers"], IsAnonymous: false);
        Assert.True(authorizer.IsAllowed(both, Permission.Send | Permission.Consume, Name("a")));
        Assert.False(authorizer.IsAllowed(Ann, Permission.Send | Permission.Consume, Name("a")));
        Assert.False(authorizer.IsAllowed(Identity.Anonymous, Permission.Send, Name("a")));
    }

    [Fact]
    public void A_block_for_one_queue_is_the_whole_truth_for_it_and_for_nothing_else()
    {
        Authorizer authorizer = Make(
            ("orders", "clerks", Permission.Send), ("orders::vip", "bosses", Permission.Consume),
            ("orders::open", "clerks", Permission.Consume));
        Assert.False(authorizer.IsAllowed(Ann, Permission.Send, Name("orders::vip")));
        Assert.True(authorizer.IsAllowed(Ann, Permission.Consume, Name("orders::open")));
        Assert.False(authorizer.IsAllowed(Ann, Permission.Send, Name("orders::open")));
        Assert.True(authorizer.IsAllowed(Ann, Permission.Send, Name("orders::other")));
        Assert.False(authorizer.IsAllowed(Ann, Permission.Consume, Name("orders")));
    }

    [Fact]
    public void Only_the_node_itself_passes_every_check()
    {
        Authorizer authorizer = Make();
        Assert.True(authorizer.IsAllowed(Identity.Node, Permission.Edit, Name("a")));
        var forged = new Identity(Identity.Node.Name, Identity.Node.Roles, IsAnonymous: false);
        Assert.False(authorizer.IsAllowed(forged, Permission.Edit, Name("a")));
    }

    [Theory]
    [InlineData("news.#", false)]
    [InlineData("news.*", false)]
    [InlineData("#", false)]
    [InlineData("*.secret", false)]
    [InlineData("news.sport.#", true)]
    [InlineData("news.*.today", true)]
    [InlineData("other.#", false)]
    public void A_wildcard_is_granted_only_when_all_that_it_reaches_is(string pattern, bool allowed)
    {
        Authorizer authorizer = Make(
            ("news.#", "clerks", Permission.Consume), ("news.secret", "bosses", Permission.Consume));
        Assert.Equal(allowed, authorizer.IsAllowed(Ann, Permission.Consume, Name(pattern)));
    }

    [Fact]
    public void A_wildcard_never_grants_what_a_name_below_it_is_denied()
    {
        SeededRandom random = Seeds.New(out string seed);
        string[] names = [.. Names.All(4).Where(static name => name.Length > 0)];
        int granted = 0;
        for (int round = 0; round < 2000; round++)
        {
            var blocks = Enumerable.Range(0, 1 + random.Next(4))
                .Select(_ => (
                    Pattern: Names.RandomPattern(random, 3),
                    Given: random.Next(4) == 0 ? Permission.None : Permission.Send))
                .Where(block => block.Pattern.Length > 0)
                .DistinctBy(block => block.Pattern)
                .Select(block => (block.Pattern, "clerks", block.Given));
            Authorizer authorizer = Make([.. blocks]);
            string wanted = Names.RandomPattern(random, 3);
            if (!AddressPattern.IsWildcard(wanted) || !authorizer.IsAllowed(Ann, Permission.Send, Name(wanted)))
            {
                continue;
            }

            granted++;
            string? leak = names.FirstOrDefault(
                n => Names.Matches(wanted, n) && !authorizer.IsAllowed(Ann, Permission.Send, Name(n)));
            Assert.True(leak is null, $"{wanted} reaches {leak} {seed}");
        }

        Assert.True(granted > 50, seed);
    }

    [Fact]
    public void Every_permission_has_a_name_of_its_own()
    {
        var flags = Enum.GetValues<Permission>().Where(static p => p != Permission.None).ToList();
        Assert.Equal(12, flags.Count);
        Assert.Equal(flags.Count, PermissionNames.All.Count);
        foreach (Permission flag in flags)
        {
            Assert.True(PermissionNames.TryParse(PermissionNames.Describe(flag), out Permission parsed));
            Assert.Equal(flag, parsed);
        }

        Assert.False(PermissionNames.TryParse("Send", out _));
        Assert.Equal("none", PermissionNames.Describe(Permission.None));
        Assert.Equal("send, consume", PermissionNames.Describe(Permission.Send | Permission.Consume));
    }

    [Theory]
    [InlineData("a::#")]
    [InlineData("a.*::b")]
    [InlineData("a::b::c")]
    [InlineData("")]
    public void Wrong_blocks_are_refused(string pattern)
    {
        BrokerException refusal = Assert.Throws<BrokerException>(() => Make((pattern, "clerks", Permission.Send)));
        Assert.Equal(BrokerError.InvalidField, refusal.Error);
    }

    private static AddressName Name(string text)
    {
        int at = text.IndexOf(AddressName.Separator, StringComparison.Ordinal);
        return at < 0 ? new AddressName(text, null) : new AddressName(text[..at], text[(at + 2)..]);
    }

    private static Authorizer Make(params (string Pattern, string Role, Permission Given)[] blocks)
    {
        var permissions = new Dictionary<string, IReadOnlyDictionary<string, Permission>>();
        foreach (var block in blocks.GroupBy(static b => b.Pattern))
        {
            permissions[block.Key] = block.ToDictionary(static b => b.Role, static b => b.Given);
        }

        return new Authorizer(new SecurityConfig { Permissions = permissions });
    }
}
