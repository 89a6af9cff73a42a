using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Links;

/// <summary>Keeps the handle of a refused attach until the peer's detach comes.</summary>
internal sealed class RefusedLink : Link
{
    public RefusedLink(AmqpSession session, Attach attach)
        : base(session, attach)
    {
        State = LinkState.DetachSent;
    }

    /// <inheritdoc/>
    public override void OnFlow(in Flow flow)
    {
    }

    /// <inheritdoc/>
    public override void Release(LinkEnd end)
    {
    }

    /// <inheritdoc/>
    public override void WriteFlow(bool echo)
    {
    }
}
