using System.Text;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>The subscriptions of a session against a plain list of them, few and many.</summary>
public sealed class SubscriptionTableTests
{
    private static readonly string[] Levels = ["a", "b", "c", "", "$x"];

    [Theory]
    [InlineData(10)]
    [InlineData(200)]
    public void Random_changes_agree_with_a_list(int most)
    {
        var random = new SeededRandom((ulong)Seeds.Next());
        var table = new SubscriptionTable();
        var list = new List<Subscription>();
        for (int round = 0; round < 4000; round++)
        {
            if (list.Count > 0 && (list.Count >= most || random.Next(3) == 0))
            {
                int at = random.Next(list.Count);
                Assert.True(table.Remove(list[at].Text, out Subscription? removed));
                Assert.Same(list[at], removed);
                list.RemoveAt(at);
            }
            else
            {
                Subscription one = RandomSubscription(random);
                list.RemoveAll(other => other.Text.AsSpan().SequenceEqual(one.Text));
                list.Add(one);
                table.Set(one);
            }

            Assert.Equal(list.Count, table.Count);
            Assert.Equal(list.Any(one => one.Group is null && one.Options.NoLocal), table.HasNoLocal);
            byte[] topic = Encoding.UTF8.GetBytes(RandomText(random, wildcards: false));
            foreach (bool isOwn in new[] { false, true })
            {
                Check(list, table.Find(topic, isOwn), topic, isOwn);
            }
        }
    }

    private static void Check(List<Subscription> list, Match found, byte[] topic, bool isOwn)
    {
        Subscription[] expected =
        [
            .. list.Where(one => one.Group is null && !(isOwn && one.Options.NoLocal)
                && TopicText.Matches(one.Filter, topic)),
        ];
        Assert.Equal(expected.Length == 0 ? -1 : expected.Max(one => one.Options.Qos), found.Qos);
        Assert.Equal(expected.Any(one => one.Options.RetainAsPublished), found.RetainAsPublished);
        Assert.Equal(expected.Where(one => one.Id > 0).Select(one => one.Id).Order(), found.Ids.Order());
    }

    private static Subscription RandomSubscription(SeededRandom random)
    {
        string share = random.Next(8) == 0 ? "$share/g/" : "";
        string text = share + RandomText(random, wildcards: random.Next(2) == 0);
        var options = new SubscriptionOptions((byte)(random.Next(3) | (share.Length > 0 ? 0 : random.Next(2) << 2)
            | (random.Next(2) << 3)));
        return Subscription.Parse(Encoding.UTF8.GetBytes(text), options, random.Next(3) * random.Next(100))!;
    }

    // Never empty, and with wildcards where filters have them.
    private static string RandomText(SeededRandom random, bool wildcards)
    {
        var levels = new List<string> { Levels[random.Next(3)] };
        for (int more = random.Next(3); more > 0; more--)
        {
            levels.Add(wildcards && random.Next(3) == 0 ? "+" : Levels[random.Next(Levels.Length)]);
        }

        if (wildcards)
        {
            levels[0] = random.Next(4) == 0 ? "+" : levels[0];
            levels.Add(random.Next(2) == 0 ? "#" : "+");
        }

        return string.Join('/', levels);
    }
}
