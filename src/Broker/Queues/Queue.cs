namespace Pillarbox.Broker.Queues;

/// <summary>One queue: all control flow of its messages. Touched only by the shard that owns it.</summary>
internal sealed class Queue
{
}
