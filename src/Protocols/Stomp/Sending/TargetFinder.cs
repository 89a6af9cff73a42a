using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp.Sending;

/// <summary>From a SEND's destination to the broker's producers, which are kept for the next one. Used by the
/// connection's loop alone.</summary>
internal sealed class TargetFinder(BrokerClient client, StompOptions options, TemporaryDestinations temporaries)
{
    private readonly SendTargets _targets = new();

    /// <summary>The target of a frame; of a list of them the result is null, and <paramref name="all"/> has them.
    /// </summary>
    /// <exception cref="StompException">It is none, or nothing can be sent there.</exception>
    /// <exception cref="BrokerException">Nothing may be sent there.</exception>
    public SendTarget? Find(in SendFields fields, StompVersion version, out List<SendTarget>? all)
    {
        all = null;
        if (_targets.Last is { } last && last.IsNamed(fields.Destination, fields.DestinationType))
        {
            return last;
        }

        string text = HeaderText.Decode(fields.Destination, version);
        string? type = fields.DestinationType.IsEmpty ? null : HeaderText.Decode(fields.DestinationType, version);
        if (_targets.Find(text, type) is { } known)
        {
            return known;
        }

        if (DestinationList.TryRead(text, client, options, out List<string> names))
        {
            all = names.ConvertAll(name => _targets.Find(name, type) ?? Open(name, type, [], []));
            return null;
        }

        return Open(text, type, fields.Destination.ToArray(), fields.DestinationType.ToArray());
    }

    /// <summary>The broker has closed its producer.</summary>
    public void Remove(SendTarget target) => _targets.Remove(target);

    private SendTarget Open(string text, string? type, byte[] rawText, byte[] rawType)
    {
        Destination destination = Destination.Parse(text, options, Destination.TypeOf(type));
        if (destination.PatternPrefixOf(text) is not null && client.FindAddress(destination.Name.Address) is null)
        {
            throw new StompException(
                $"nothing can be sent to the pattern '{StompException.Shorten(destination.Name.Address)}'");
        }

        string address = destination.IsTemporary
            ? temporaries.AddressOf(text, destination) : destination.Name.ToString();
        if (_targets.Count >= options.ProducersMax)
        {
            client.CloseProducer(_targets.RemoveOldest().Producer);
        }

        Producer producer = client.OpenProducer(new ProducerOptions
        {
            Address = address,
            // Of a stream's name the prefix says nothing: the stream takes it, and whoever is bound to the address.
            RoutingType = client.IsStream(destination.Name.Address) ? null : destination.RoutingType,
            Name = text,
        });
        var target = new SendTarget(producer, rawText, rawType)
        {
            // What others are to see as the destination: of a temporary one, the name that is not only ours.
            Line = destination.IsTemporary ? TemporaryDestinations.ShownName(destination, address) : text,
        };
        producer.Tag = target;
        _targets.Add(text, type, target);
        return target;
    }
}
