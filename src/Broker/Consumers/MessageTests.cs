namespace Pillarbox.Broker.Consumers;

/// <summary>Makes message tests out of selectors.</summary>
internal static class MessageTests
{
    public static IMessageTest Parse(string selector) =>
        throw new BrokerException(BrokerError.InvalidField, $"selectors are not supported yet: {selector}");
}
