namespace Pillarbox.Protocols.Mqtt.Wire;

/// <summary>
/// Which reasons of failure the packets of a server may bear (MQTT 5.0 §3.2.2.2, §3.4.2.1, §3.5.2.1, §3.6.2.1,
/// §3.7.2.1, §3.9.3, §3.11.3, §3.14.2.1). Pure.
/// </summary>
internal static class ReasonTable
{
    /// <summary>The reason itself, where the packet may say it; else the nearest that it may say.</summary>
    public static ReasonCode For(PacketType packet, ReasonCode reason) =>
        (int)reason < 0x80 || Allows(packet, reason) ? reason
        : packet == PacketType.ConnAck && reason == ReasonCode.ServerShuttingDown ? ReasonCode.ServerUnavailable
        : ReasonCode.ImplementationSpecificError;

    /// <summary>Whether a packet of a server may bear a reason of failure.</summary>
    public static bool Allows(PacketType packet, ReasonCode reason) => packet switch
    {
        PacketType.ConnAck => reason is (>= ReasonCode.UnspecifiedError and <= ReasonCode.Banned)
            or ReasonCode.BadAuthenticationMethod or ReasonCode.TopicNameInvalid or ReasonCode.PacketTooLarge
            or ReasonCode.QuotaExceeded or (>= ReasonCode.PayloadFormatInvalid and <= ReasonCode.ServerMoved)
            or ReasonCode.ConnectionRateExceeded,
        PacketType.PubAck or PacketType.PubRec => reason is ReasonCode.TopicNameInvalid or ReasonCode.QuotaExceeded
            or ReasonCode.PayloadFormatInvalid || IsOfAnswers(reason),
        PacketType.PubRel or PacketType.PubComp => reason == ReasonCode.PacketIdentifierNotFound,
        PacketType.SubAck => reason is ReasonCode.TopicFilterInvalid or ReasonCode.QuotaExceeded
            or ReasonCode.SharedSubscriptionsNotSupported or ReasonCode.SubscriptionIdentifiersNotSupported
            or ReasonCode.WildcardSubscriptionsNotSupported || IsOfAnswers(reason),
        PacketType.UnsubAck => reason == ReasonCode.TopicFilterInvalid || IsOfAnswers(reason),
        PacketType.Disconnect => reason is (>= ReasonCode.UnspecifiedError
            and <= ReasonCode.ImplementationSpecificError) or ReasonCode.NotAuthorized or ReasonCode.ServerBusy
            or ReasonCode.ServerShuttingDown or (>= ReasonCode.KeepAliveTimeout and <= ReasonCode.TopicNameInvalid)
            or (>= ReasonCode.ReceiveMaximumExceeded and <= ReasonCode.WildcardSubscriptionsNotSupported),
        _ => false,
    };

    private static bool IsOfAnswers(ReasonCode reason) => reason is ReasonCode.UnspecifiedError
        or ReasonCode.ImplementationSpecificError or ReasonCode.NotAuthorized or ReasonCode.PacketIdentifierInUse;
}
