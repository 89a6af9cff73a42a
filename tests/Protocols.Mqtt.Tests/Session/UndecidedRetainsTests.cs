using Pillarbox.Protocols.Mqtt.Retained;

namespace Pillarbox.Protocols.Mqtt.Tests.Session;

/// <summary>What comes back when a retained message is refused in the end.</summary>
public sealed class UndecidedRetainsTests
{
    private readonly UndecidedRetains _undecided = new();

    [Fact]
    public void The_one_before_comes_back_unless_another_has_come_since()
    {
        RetainedMessage before = Message();
        RetainedMessage refused = Set(before);
        Assert.True(_undecided.End(refused, isTaken: false, out RetainedMessage? older));
        Assert.Same(before, older);
        refused = Set(before);
        _undecided.OnSet(Message());
        Assert.False(_undecided.End(refused, isTaken: false, out _));
        RetainedMessage taken = Set(before);
        Assert.False(_undecided.End(taken, isTaken: true, out _));
        Assert.False(_undecided.End(taken, isTaken: false, out _));
    }

    [Fact]
    public void One_that_was_refused_itself_does_not_come_back()
    {
        RetainedMessage first = Set(null);
        RetainedMessage second = Set(first);
        Assert.False(_undecided.End(first, isTaken: false, out _));
        Assert.True(_undecided.End(second, isTaken: false, out RetainedMessage? older));
        Assert.Null(older);
    }

    [Fact]
    public void One_that_was_taken_meanwhile_comes_back()
    {
        RetainedMessage first = Set(null);
        RetainedMessage second = Set(first);
        Assert.False(_undecided.End(first, isTaken: true, out _));
        Assert.True(_undecided.End(second, isTaken: false, out RetainedMessage? older));
        Assert.Same(first, older);
    }

    private RetainedMessage Set(RetainedMessage? older)
    {
        RetainedMessage message = Message();
        _undecided.Begin(message, older);
        _undecided.OnSet(message);
        return message;
    }

    private static RetainedMessage Message() => new("t", [0], 0, 0);
}
