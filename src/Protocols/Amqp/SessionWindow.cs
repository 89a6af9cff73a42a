using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// The flow state of a session (part 2 section 2.5.6): how many transfer frames each side may send. Pure arithmetic.
/// </summary>
internal sealed class SessionWindow
{
    /// <summary>The id of the first transfer frame that the node sends.</summary>
    public const uint InitialOutgoingId = 0;

    private readonly uint _incomingWindowMax;

    /// <param name="options">The widths.</param>
    /// <param name="begin">The peer's begin; null: the node begins, and nothing is known of the peer yet.</param>
    public SessionWindow(AmqpOptions options, Begin? begin)
    {
        _incomingWindowMax = options.IncomingWindow;
        IncomingWindow = options.IncomingWindow;
        OutgoingWindow = options.OutgoingWindow;
        if (begin is not null)
        {
            OnBegin(begin);
        }
    }

    /// <summary>The transfer-id that the peer's next transfer has.</summary>
    public uint NextIncomingId { get; private set; }

    /// <summary>Transfers that the peer may still send.</summary>
    public uint IncomingWindow { get; private set; }

    /// <summary>The transfer-id of the node's next transfer.</summary>
    public uint NextOutgoingId { get; private set; } = InitialOutgoingId;

    /// <summary>What the node names as its own outgoing window; it keeps no buffer that would bound it.</summary>
    public uint OutgoingWindow { get; }

    /// <summary>Transfers that the node may still send.</summary>
    public uint RemoteIncomingWindow { get; private set; }

    /// <summary>Frames of messages on their way through the node that wait for their next hop: the window is
    /// narrower by
    /// as many.</summary>
    public uint HeldFrames { get; set; }

    /// <summary>Whether the peer should hear of a wider window.</summary>
    public bool IsUpdateDue => IncomingWindow <= _incomingWindowMax / 2 && IncomingWindow < OpenFrames;

    private uint OpenFrames => _incomingWindowMax - Math.Min(HeldFrames, _incomingWindowMax);

    /// <summary>A transfer frame came. Errors: window-violation.</summary>
    public void OnTransferReceived()
    {
        if (IncomingWindow == 0)
        {
            throw new AmqpException(
                AmqpErrorCondition.SessionWindowViolation, "a transfer beyond the incoming window",
                AmqpSeverity.Session);
        }

        IncomingWindow--;
        NextIncomingId++;
    }

    /// <summary>A transfer frame went out.</summary>
    public void OnTransferSent()
    {
        NextOutgoingId++;
        RemoteIncomingWindow--;
    }

    /// <summary>
    /// The peer's flow: remote-incoming-window = its next-incoming-id + its incoming-window - our next-outgoing-id.
    /// </summary>
    public void OnFlow(in Flow flow)
    {
        NextIncomingId = flow.NextOutgoingId;
        uint seen = flow.NextIncomingId ?? InitialOutgoingId;
        long inFlight = SerialNumber.Distance(seen, NextOutgoingId);
        RemoteIncomingWindow = (uint)Math.Clamp(flow.IncomingWindow - inFlight, 0, uint.MaxValue);
    }

    /// <summary>The peer has answered the node's begin.</summary>
    public void OnBegin(Begin begin)
    {
        NextIncomingId = begin.NextOutgoingId;
        RemoteIncomingWindow = begin.IncomingWindow;
    }

    /// <summary>Opens the incoming window as far as it goes, and never closes it; what is said with the flow that the
    /// caller sends now.</summary>
    public void Replenish() => IncomingWindow = Math.Max(IncomingWindow, OpenFrames);
}
