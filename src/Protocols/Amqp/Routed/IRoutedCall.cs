namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Something that is to be done on the thread that owns an inbox.</summary>
internal interface IRoutedCall
{
    /// <summary>Does it. On the thread that owns the inbox.</summary>
    void Run(in RoutedEvent crossing);

    /// <summary>The owner has ended, and it will not be done. Any thread.</summary>
    void OnGone(in RoutedEvent crossing);
}
