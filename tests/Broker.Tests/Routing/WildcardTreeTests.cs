using Pillarbox.Broker.Routing;
using Pillarbox.Model;

namespace Pillarbox.Broker.Tests.Routing;

public sealed class WildcardTreeTests
{
    [Fact]
    public void A_value_is_found_once_however_many_ways_lead_to_it()
    {
        var tree = new WildcardTree<string>();
        tree.Add("#.a.#", "x");
        Assert.Equal(["x"], Match(tree, "a.a.a.a"));
    }

    [Fact]
    public void A_value_under_several_patterns_is_found_for_each()
    {
        var tree = new WildcardTree<string>();
        tree.Add("news.#", "x");
        tree.Add("news.*", "x");
        Assert.Equal(["x", "x"], Match(tree, "news.a"));
        Assert.True(tree.Remove("news.*", "x"));
        Assert.Equal(["x"], Match(tree, "news.a"));
    }

    [Fact]
    public void What_is_removed_is_gone_and_leaves_the_rest()
    {
        var tree = new WildcardTree<string>();
        tree.Add("a.#.b", "1");
        tree.Add("a.#.b.c", "2");
        tree.Add("a", "3");
        Assert.False(tree.Remove("a.#", "1"));
        Assert.False(tree.Remove("a.#.b", "2"));
        Assert.True(tree.Remove("a.#.b", "1"));
        Assert.False(tree.Remove("a.#.b", "1"));
        Assert.Empty(Match(tree, "a.b"));
        Assert.Equal(["2"], Match(tree, "a.x.b.c"));
        Assert.Equal(["3"], Match(tree, "a"));
        Assert.Equal(2, tree.Count);
    }

    [Fact]
    public void Wildcards_in_a_name_are_ordinary_words()
    {
        var tree = new WildcardTree<string>();
        tree.Add("a.b", "literal");
        tree.Add("a.*", "single");
        Assert.Equal(["single"], Match(tree, "a.*"));
        Assert.Equal(["single"], Match(tree, "a.#"));
    }

    [Fact]
    public void Random_changes_agree_with_a_list()
    {
        SeededRandom random = Seeds.New(out string seed);
        var tree = new WildcardTree<int>();
        var list = new List<(string Pattern, int Value)>();
        for (int round = 0; round < 6000; round++)
        {
            if (list.Count > 0 && random.Next(5) < 2)
            {
                int at = random.Next(list.Count);
                Assert.True(tree.Remove(list[at].Pattern, list[at].Value), seed);
                list.RemoveAt(at);
            }
            else
            {
                (string Pattern, int Value) entry = (Names.RandomPattern(random, 4), random.Next(50));
                tree.Add(entry.Pattern, entry.Value);
                list.Add(entry);
            }

            string name = Names.RandomName(random, 5);
            var expected = list.Where(e => Names.Matches(e.Pattern, name)).Select(e => e.Value).Order();
            Assert.True(expected.SequenceEqual(Match(tree, name)), $"{name} {seed}");
            Assert.Equal(list.Count, tree.Count);
        }
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        var tree = new WildcardTree<string>();
        tree.Add("a.*.c.#", "1");
        tree.Add("#", "2");
        tree.Add("a.b.c.d", "3");
        var results = new List<string>(16);
        for (int i = 0; i < 100; i++)
        {
            results.Clear();
            tree.Match("a.b.c.d", results);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            results.Clear();
            tree.Match("a.b.c.d", results);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(3, results.Count);
    }

    [Fact]
    public void A_hundred_thousand_patterns_can_come_and_go()
    {
        var tree = new WildcardTree<int>();
        for (int i = 0; i < 100_000; i++)
        {
            tree.Add(Pattern(i), i);
        }

        Assert.Equal([77_777], Match(tree, "region.7.device.77777.status.x.y"));
        for (int i = 0; i < 100_000; i += 2)
        {
            Assert.True(tree.Remove(Pattern(i), i));
        }

        Assert.Equal([77_777], Match(tree, "region.7.device.77777.status"));
        Assert.Empty(Match(tree, "region.6.device.77776.status"));
        Assert.Equal(50_000, tree.Count);
        static string Pattern(int i) => $"region.{i % 10}.device.{i}.status.#";
    }

    [Fact]
    public void Many_wildcards_do_not_multiply()
    {
        // Backtracking would try some 10^18 ways here.
        var tree = new WildcardTree<string>();
        tree.Add(string.Join('.', Enumerable.Repeat("#.a", 30)) + ".b", "x");
        tree.Add(string.Join('.', Enumerable.Repeat("#.a", 30)), "y");
        Assert.Equal(["y"], Match(tree, string.Join('.', Enumerable.Repeat("a", 100))));
    }

    [Fact]
    public async Task Readers_see_every_value_that_stays_while_others_come_and_go()
    {
        SeededRandom random = Seeds.New(out string seed);
        var tree = new WildcardTree<string>();
        tree.Add("a.#.b", "stays");
        using var stop = new CancellationTokenSource();
        Task<int> reading = Task.Run(() =>
        {
            int matches = 0;
            var results = new List<string>();
            while (!stop.IsCancellationRequested)
            {
                results.Clear();
                tree.Match("a.x.b", results);
                Assert.Equal(1, results.Count(value => value == "stays"));
                matches++;
            }

            return matches;
        });
        for (int i = 0; i < 20_000; i++)
        {
            string pattern = "a." + Names.RandomPattern(random, 3);
            tree.Add(pattern, "passes");
            Assert.True(tree.Remove(pattern, "passes"), seed);
        }

        await stop.CancelAsync();
        await reading;
        Assert.Equal(1, tree.Count);
    }

    private static List<T> Match<T>(WildcardTree<T> tree, string name)
        where T : notnull
    {
        var results = new List<T>();
        tree.Match(name, results);
        results.Sort();
        return results;
    }
}
