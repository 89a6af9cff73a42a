using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>For clients of the broker that publish and are gone before anything could be told.</summary>
internal sealed class NoWake : IWakeable
{
    public static readonly NoWake Instance = new();

    public void Wake()
    {
    }
}
