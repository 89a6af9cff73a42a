using Pillarbox.Protocols.Amqp.Links;

namespace Pillarbox.Protocols.Amqp.Connections;

/// <summary>Settlements whose end somebody waits for: the peer, or a link's attach. Used by the connection's loop
/// alone.</summary>
internal sealed class SettlementTags
{
    private Dictionary<ulong, (AmqpSession Session, uint Id)>? _settlements;
    private Dictionary<ulong, SendingLink>? _claimed;
    private ulong _last;

    /// <summary>A tag for a settlement whose end the peer waits for.</summary>
    public ulong Tag(AmqpSession session, uint id)
    {
        ulong tag = ++_last;
        (_settlements ??= []).Add(tag, (session, id));
        return tag;
    }

    /// <summary>A tag for a settlement that the link's attach waits for.</summary>
    public ulong TagClaimed(SendingLink link)
    {
        ulong tag = ++_last;
        (_claimed ??= []).Add(tag, link);
        return tag;
    }

    /// <summary>It is settled.</summary>
    public void OnSettled(ulong tag)
    {
        if (_settlements is not null && _settlements.Remove(tag, out (AmqpSession Session, uint Id) settlement))
        {
            settlement.Session.OnSettled(settlement.Id);
        }
        else if (_claimed is not null && _claimed.Remove(tag, out SendingLink? link))
        {
            link.OnClaimSettled();
        }
    }
}
