using Pillarbox.Broker;
using Pillarbox.Broker.Security.Sasl;

namespace Pillarbox.Hosting;

/// <summary>
/// Watches an open node for its first user, who ends development mode: from then on everybody logs in, whoever is
/// connected is asked to close. Runs on the clock's timer.
/// </summary>
internal sealed class DevelopmentMode : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly NodeSecurity _security;
    private readonly MessageBroker _broker;
    private readonly NodeSeams _seams;
    private readonly Action<SaslServers> _secure;
    private readonly ITimer? _timer;

    /// <summary><paramref name="secure"/> tells the protocols with what to log in from then on.</summary>
    public DevelopmentMode(
        NodeSecurity security, MessageBroker broker, NodeSeams seams, Action<SaslServers> secure)
    {
        (_security, _broker, _seams, _secure) = (security, broker, seams, secure);
        _timer = security.IsOpen ? seams.Time.CreateTimer(_ => Look(), null, Period, Period) : null;
    }

    public void Dispose() => _timer?.Dispose();

    private void Look()
    {
        if (_security.TryClose())
        {
            _secure(_security.Sasl());
            _broker.Secure(_security.Config!);
            NodeLog.Closed(_seams.LoggerFactory.CreateLogger("Pillarbox.Node"));
            _timer?.Dispose();
        }
    }
}
