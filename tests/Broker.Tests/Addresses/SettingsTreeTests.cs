using Pillarbox.Broker.Addresses;
using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Addresses;

public sealed class SettingsTreeTests
{
    [Fact]
    public void Without_settings_the_defaults_apply()
    {
        EffectiveSettings settings = Tree().For("orders");
        Assert.Equal(EffectiveSettings.Default, settings);
        Assert.Equal(RoutingType.Anycast, settings.DefaultRoutingType);
        Assert.True(settings.AutoCreateQueues);
        Assert.False(settings.AutoDeleteQueues);
        Assert.Equal("DLQ", settings.DeadLetterAddress);
        Assert.Equal("ExpiryQueue", settings.ExpiryAddress);
        Assert.Equal(10, settings.MaxDeliveryAttempts);
        Assert.Equal(-1, settings.MaxSizeBytes);
        Assert.Equal(int.MaxValue, settings.MessageBytesMax);
    }

    [Fact]
    public void Each_field_is_decided_by_the_most_specific_pattern_that_says_something()
    {
        SettingsTree tree = Tree(
            ("#", new AddressSettings
            {
                MaxDeliveryAttempts = 1,
                RedeliveryDelayMs = 1,
                ExpiryDelayMs = 1,
                MaxSizeMessages = 1,
            }),
            ("orders.#", new AddressSettings { MaxDeliveryAttempts = 2, RedeliveryDelayMs = 2, ExpiryDelayMs = 2 }),
            ("orders.*", new AddressSettings { MaxDeliveryAttempts = 3, RedeliveryDelayMs = 3 }),
            ("orders.eu", new AddressSettings { MaxDeliveryAttempts = 4 }));
        EffectiveSettings exact = tree.For("orders.eu");
        Assert.Equal((4, 3L, 2L, 1L), Four(exact));
        Assert.Equal((3, 3L, 2L, 1L), Four(tree.For("orders.us")));
        Assert.Equal((2, 2L, 2L, 1L), Four(tree.For("orders.us.ca")));
        Assert.Equal((1, 1L, 1L, 1L), Four(tree.For("bills")));
        static (int, long, long, long) Four(EffectiveSettings s) =>
            (s.MaxDeliveryAttempts, s.RedeliveryDelayMs, s.ExpiryDelayMs, s.MaxSizeMessages);
    }

    [Fact]
    public void An_empty_name_unsets_what_a_wider_pattern_gave()
    {
        SettingsTree tree = Tree(
            ("#", new AddressSettings { DeadLetterAddress = "dead" }),
            ("temp.#", new AddressSettings { DeadLetterAddress = "" }));
        Assert.Equal("dead", tree.For("orders").DeadLetterAddress);
        Assert.Null(tree.For("temp.x").DeadLetterAddress);
    }

    [Fact]
    public void The_redelivery_cap_is_ten_times_the_delay_unless_said()
    {
        Assert.Equal(500, Tree(("#", new AddressSettings { RedeliveryDelayMs = 50 })).For("a").MaxRedeliveryDelayMs);
        var said = new AddressSettings { RedeliveryDelayMs = 50, MaxRedeliveryDelayMs = 7 };
        Assert.Equal(7, Tree(("#", said)).For("a").MaxRedeliveryDelayMs);
        var huge = new AddressSettings { RedeliveryDelayMs = long.MaxValue };
        Assert.Equal(long.MaxValue, Tree(("#", huge)).For("a").MaxRedeliveryDelayMs);
    }

    [Fact]
    public void Addresses_with_the_same_settings_share_one_object()
    {
        SettingsTree tree = Tree(("orders.#", new AddressSettings { MaxSizeBytes = 5 }));
        Assert.Same(tree.For("orders.1"), tree.For("orders.2"));
        Assert.Same(tree.For("a"), tree.For("b"));
        Assert.NotSame(tree.For("a"), tree.For("orders.1"));
    }

    [Fact]
    public void The_memory_of_names_is_bounded_and_stays_right()
    {
        SettingsTree tree = Tree(("x.*", new AddressSettings { MaxSizeBytes = 5 }));
        for (int i = 0; i < SettingsTree.CacheEntriesMax + 10; i++)
        {
            Assert.Equal(5, tree.For("x." + i).MaxSizeBytes);
        }
    }

    [Fact]
    public void Merging_agrees_with_asking_every_pattern()
    {
        SeededRandom random = Seeds.New(out string seed);
        for (int round = 0; round < 300; round++)
        {
            var given = new Dictionary<string, AddressSettings>();
            for (int i = random.Next(12); i > 0; i--)
            {
                given[Routing.Names.RandomPattern(random, 3)] = new AddressSettings
                {
                    MaxSizeBytes = random.Next(2) == 0 ? null : random.Next(100),
                    MaxSizeMessages = random.Next(2) == 0 ? null : random.Next(100),
                };
            }

            var valid = given.Where(e => e.Key.Length > 0).ToDictionary();
            var tree = new SettingsTree(valid);
            string name = Routing.Names.RandomName(random, 4);
            var matching = valid.Where(e => Routing.Names.Matches(e.Key, name))
                .OrderByDescending(e => e.Key, Comparer<string>.Create(AddressPattern.CompareSpecificity))
                .Select(e => e.Value).ToList();
            long bytes = matching.Select(s => s.MaxSizeBytes).FirstOrDefault(v => v is not null) ?? -1;
            long messages = matching.Select(s => s.MaxSizeMessages).FirstOrDefault(v => v is not null) ?? -1;
            EffectiveSettings found = tree.For(name);
            Assert.True((found.MaxSizeBytes, found.MaxSizeMessages) == (bytes, messages), $"{name} {seed}");
        }
    }

    [Fact]
    public void Wrong_settings_are_refused_with_pattern_and_field()
    {
        Refused("a\u0001", new AddressSettings(), "control");
        Refused("#", new AddressSettings { MaxDeliveryAttempts = 0 }, "MaxDeliveryAttempts");
        Refused("#", new AddressSettings { MaxDeliveryAttempts = -2 }, "MaxDeliveryAttempts");
        Refused("#", new AddressSettings { RedeliveryCollisionAvoidance = 1.5 }, "RedeliveryCollisionAvoidance");
        Refused("#", new AddressSettings { RedeliveryDelayMultiplier = double.NaN }, "RedeliveryDelayMultiplier");
        Refused("#", new AddressSettings { MessageBytesMax = 0 }, "MessageBytesMax");
        Refused("#", new AddressSettings { DeadLetterAddress = "a\nb" }, "DeadLetterAddress");
        static void Refused(string pattern, AddressSettings settings, string word)
        {
            BrokerException refusal = Assert.Throws<BrokerException>(() => Tree((pattern, settings)));
            Assert.Equal(BrokerError.InvalidField, refusal.Error);
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        }
    }

    private static SettingsTree Tree(params (string Pattern, AddressSettings Settings)[] settings) =>
        new(settings.ToDictionary(s => s.Pattern, s => s.Settings));
}
