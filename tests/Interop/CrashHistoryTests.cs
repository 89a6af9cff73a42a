using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>The checker of the crash loop finds each kind of violation.</summary>
public sealed class CrashHistoryTests
{
    [Fact]
    public void Redelivery_of_what_was_not_settled_is_right() =>
        Assert.Empty(Check("A 0,A 1,E 3", "C,R s 0,F s 0,R s 1,C,R s 1,F s 1,R s 2"));

    [Fact]
    public void Message_in_doubt_may_be_missing() => Assert.Empty(Check("A 0,E 2", "C,R s 0"));

    [Theory]
    [InlineData("A 0,A 1,E 2", "C,R s 0", "s/1 was acknowledged and is lost")]
    [InlineData("A 0,E 1", "C,R s 0,F s 0,C,R s 0", "q s/0 came after its acknowledged settlement")]
    [InlineData("A 0,A 1,E 2", "C,R s 1,C,R s 0", "q s/0 came after 1")]
    [InlineData("A 0,A 1,E 2", "C,R s 0,R s 1,C,R s 1,R s 0", "q s/0 came after 1")]
    [InlineData("A 0,E 1", "C,R s 0,R s 0", "q s/0 came after 0")]
    [InlineData("A 0,E 1", "C,R s 0,R s 1", "s/1 was never sent")]
    [InlineData("A 0,E 1", "C,R s 0,R t 0", "t/0 was never sent")]
    public void Violation_is_found(string sender, string receiver, string expected) =>
        Assert.Contains(expected, Check(sender, receiver));

    [Fact]
    public void Half_a_transaction_is_found() =>
        Assert.Contains("s/0 begins a transaction of which 2 came", Check("E 5", "C,R s 0,R s 1", transactional: true));

    [Fact]
    public void Whole_and_missing_transactions_are_right() =>
        Assert.Empty(Check("G 0,E 10", "C,R s 0,R s 1,R s 2,R s 3,R s 4", transactional: true));

    private static IReadOnlyList<string> Check(string sender, string receiver, bool transactional = false)
    {
        var history = new CrashHistory();
        history.AddSender("s", sender.Split(','), transactional);
        history.AddReceiver("q", receiver.Split(','));
        history.Finish();
        return history.Violations;
    }
}
