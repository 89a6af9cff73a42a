namespace Pillarbox.Broker.Consumers;

/// <summary>Which message in which queue; of a durable message in a durable queue it holds over restarts.</summary>
/// <param name="QueueNumber">See <see cref="Delivery.QueueNumber"/>.</param>
/// <param name="MessageId">See <see cref="Delivery.MessageId"/>.</param>
public readonly record struct MessageKey(long QueueNumber, long MessageId);
