using System.Collections.Concurrent;
using Pillarbox.Broker.Consumers;

namespace Pillarbox.Protocols.OpenWire.Advisories;

/// <summary>Advisories for one connection that its loop has not looked at.</summary>
internal sealed class AdvisoryInbox(IWakeable owner) : IAdvisorySink
{
    private readonly ConcurrentQueue<Advisory> _advisories = new();

    /// <summary>Whether there is one. Any thread.</summary>
    public bool HasAny => !_advisories.IsEmpty;

    /// <inheritdoc/>
    public void Tell(in Advisory advisory)
    {
        _advisories.Enqueue(advisory);
        owner.Wake();
    }

    /// <summary>The same on the loop itself, which is awake.</summary>
    public void Post(in Advisory advisory) => _advisories.Enqueue(advisory);

    /// <summary>The oldest one; the loop's alone.</summary>
    public bool TryTake(out Advisory advisory) => _advisories.TryDequeue(out advisory);
}
