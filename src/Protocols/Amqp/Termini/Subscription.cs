using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Termini;

/// <summary>
/// What a sending link consumes from: the source that was agreed, and what becomes of the queue when the link ends.
/// </summary>
internal sealed record Subscription
{
    /// <summary>The queue.</summary>
    public required string Queue { get; init; }

    /// <summary>The stream that is read instead; null: the queue.</summary>
    public StreamReading? Stream { get; init; }

    /// <summary>The source as the node answers it.</summary>
    public required Source Source { get; init; }

    /// <summary>
    /// The queue was made for this link's source (durable subscription, dynamic node): closing the link deletes it.
    /// </summary>
    public bool OwnsQueue { get; init; }

    /// <summary>Others may consume from the same subscription: it is deleted only when nobody does.</summary>
    public bool IsShared { get; init; }

    /// <summary>What the client itself publishes does not come into the queue.</summary>
    public bool IsNoLocalInQueue { get; init; }

    /// <summary>The queue was made for this attach: it goes when that is refused.</summary>
    public bool IsNew { get; init; }

    /// <summary>The attach is refused after all.</summary>
    public void TakeBack(ConnectionEndpoint connection)
    {
        if (IsNew)
        {
            Delete(connection.Client);
        }
    }

    /// <summary>The link has ended. Part 3 sections 3.5.5 and 3.5.6: what survives, and for how long.</summary>
    public void OnLinkEnd(ConnectionEndpoint connection, LinkEnd end)
    {
        if (!OwnsQueue)
        {
            return;
        }

        if (end == LinkEnd.Closed || (ExpiresAt(end) && Source.TimeoutSeconds == 0))
        {
            Delete(connection.Client);
        }
        else if (ExpiresAt(end))
        {
            Begin(connection.Client);
        }
    }

    private bool ExpiresAt(LinkEnd end) => Source.ExpiryPolicy switch
    {
        TerminusExpiryPolicy.LinkDetach => true,
        TerminusExpiryPolicy.SessionEnd => end >= LinkEnd.SessionEnd,
        TerminusExpiryPolicy.ConnectionClose => end >= LinkEnd.ConnectionClose,
        _ => false,
    };

    /// <summary>How long the queue lives after its users, in milliseconds; -1: for ever.</summary>
    public static long TimeoutMs(Source source) =>
        source.ExpiryPolicy == TerminusExpiryPolicy.Never ? -1 : source.TimeoutSeconds * 1000L;

    private void Begin(BrokerClient client)
    {
        try
        {
            client.SetQueueExpiry(Queue, TimeoutMs(Source), begins: true);
        }
        catch (BrokerException)
        {
            // The disk takes nothing now: it stays.
        }
    }

    private void Delete(BrokerClient client)
    {
        try
        {
            client.DeleteQueue(Queue, ifUnused: IsShared);
        }
        catch (BrokerException)
        {
            // Still used by others, already gone, or not this user's to delete: it stays as it is.
        }
    }
}
