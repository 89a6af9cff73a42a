using Pillarbox.Broker;
using Pillarbox.Broker.Queues;
using Pillarbox.Model;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>A connection's own destinations: made when they are first named, gone with it. Used by the connection's
/// loop alone.</summary>
internal sealed class TemporaryDestinations(BrokerClient client, StompEnvironment environment)
{
    private readonly Dictionary<string, string> _addresses = new(StringComparer.Ordinal);

    /// <summary>What others write to reach one.</summary>
    public static string ShownName(in Destination destination, string address) =>
        (destination.RoutingType == RoutingType.Multicast ? "/topic/" : "/queue/") + address;

    /// <summary>The address behind the client's own name for it.</summary>
    /// <exception cref="StompException">It is one too many.</exception>
    /// <exception cref="BrokerException">It may not be made.</exception>
    public string AddressOf(string text, in Destination destination)
    {
        if (_addresses.TryGetValue(text, out string? name))
        {
            return name;
        }

        if (_addresses.Count >= environment.Options.TemporariesMax)
        {
            throw new StompException(
                $"the connection has {environment.Options.TemporariesMax} temporary destinations already");
        }

        name = environment.RandomQueueName();
        client.CreateQueue(new QueueConfig
        {
            Name = name,
            Address = name,
            RoutingType = destination.RoutingType ?? RoutingType.Anycast,
            Durable = false,
            Temporary = true,
            AutoCreated = true,
        });
        _addresses.Add(text, name);
        return name;
    }

    /// <summary>A <c>reply-to</c> that names a temporary destination is told by the name that others can use.</summary>
    public string Shown(string replyTo)
    {
        foreach (string prefix in environment.Options.TemporaryPrefixes)
        {
            if (replyTo.StartsWith(prefix, StringComparison.Ordinal))
            {
                Destination destination = Destination.Parse(replyTo, environment.Options);
                return ShownName(destination, AddressOf(replyTo, destination));
            }
        }

        return replyTo;
    }
}
