using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Tests.Peers;

/// <summary>The places that a connector tries: those that are configured, and those that the peer has named.</summary>
public sealed class FailoverTargetsTests
{
    [Fact]
    public void Named_places_follow_the_configured_ones_until_others_are_named()
    {
        var targets = new FailoverTargets([Target("a:1"), Target("b:1")], text => text == "?" ? null : Target(text));
        Assert.Equal("a:1", targets.Current.Text);
        targets.Adopt(["c:1", "?", "b:1"]);
        Assert.Equal(["b:1", "c:1", "a:1"], Go(targets, 3));
        targets.Adopt(null);
        Assert.Equal(["b:1", "c:1"], Go(targets, 2));
        targets.Adopt(["d:1"]);
        Assert.Equal(["d:1", "a:1", "b:1", "c:1"], Go(targets, 4));
        targets.Adopt([]);
        Assert.Equal(["a:1", "b:1", "c:1"], Go(targets, 3));
        targets.Next();
        targets.Adopt([]);
        Assert.Equal(["b:1", "a:1"], Go(targets, 2));
    }

    [Fact]
    public void One_place_stays()
    {
        var targets = new FailoverTargets([Target("a:1")], Target);
        Assert.False(targets.Next());
        Assert.Equal("a:1", targets.Current.Text);
    }

    private static string[] Go(FailoverTargets targets, int steps) =>
        [.. Enumerable.Range(0, steps).Select(_ =>
        {
            targets.Next();
            return targets.Current.Text;
        })];

    private static ConnectorTarget Target(string text) => new(text, _ => throw new InvalidOperationException());
}
