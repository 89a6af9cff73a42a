using System.Text;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Streams.Reading;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests;

/// <summary>How stories look at records of streams.</summary>
internal static class StreamSteps
{
    /// <summary>What the record has that a delivery brings.</summary>
    public static string Value(Actor actor, Delivery delivery)
    {
        using MessageLease lease = actor.Read(delivery);
        Assert.True(StreamRecord.TryParse(lease.Payload.Span, out StreamRecord record));
        return Encoding.UTF8.GetString(record.Value);
    }

    /// <summary>What the records have that a client was brought.</summary>
    public static string[] Values(Actor actor) => [.. actor.Deliveries.Select(delivery => Value(actor, delivery))];

    /// <summary>What is in a stream, by a client that comes and goes.</summary>
    public static string[] Read(Scene scene, string stream)
    {
        Actor actor = scene.Connect("looks");
        actor.Consume("", 100, options => options with
        {
            Stream = new StreamReading { Stream = stream, Start = StreamStart.First },
        });
        string[] values = Values(actor);
        actor.Client.Dispose();
        scene.Actors.Remove(actor);
        scene.Settle();
        return values;
    }
}
