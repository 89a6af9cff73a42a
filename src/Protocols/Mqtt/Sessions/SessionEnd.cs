using Pillarbox.Broker;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Sessions;

/// <summary>Why the node ends a connection, once it has a reason to: the first counts. Owned by the
/// connection.</summary>
internal sealed class SessionEnd
{
    /// <summary>Null: it goes on.</summary>
    public (ReasonCode Reason, string Text)? Cause { get; private set; }

    public void With(ReasonCode reason, string text) => Cause ??= (reason, text);

    public void With(BrokerException refusal) => With(BrokerErrors.ToReason(refusal), refusal.Message);
}
