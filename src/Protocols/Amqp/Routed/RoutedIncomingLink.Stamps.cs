using System.Text;
using Pillarbox.Protocols.Amqp.Routed.Counting;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <content>
/// The message as it goes on: the bare message as it came; of the annotations the user's, and behind them, towards
/// another router, those of the routers.
/// </content>
internal sealed partial class RoutedIncomingLink
{
    private RouterStamp _stamp;
    private RouterStamp _markedStamp;

    // What a client's messages get is the same for each.
    private void Stamp(string? to, int phase)
    {
        _stamp = RouterStamp.Of(_network, to, phase);
        _markedStamp = RouterStamp.Of(_network, to, phase, isPreSettled: true);
    }

    private int StampBytesMax(scoped in RouterNotes notes) => _fallback is null && !TrustsNotes
        ? RoutedBytes.SectionBytesMax + _markedStamp.Entries.Length + _routes.Within.Length + AddressKeyBytesMax
        : RoutedBytes.SectionBytesMax + RouterNotes.BytesMax(_network.StampId) + notes.To.Length + notes.Ingress.Length
            + notes.Trace.Length + FallbackBytesMax;

    // The key and the header of an address that the stamp has not.
    private const int AddressKeyBytesMax = 32;

    // Characters of its address, each at most three bytes.
    private int FallbackBytesMax => 3 * (_fallback?.Address.Length ?? 0);

    private int Copy(
        ReadOnlySpan<byte> message, in RoutedHead head, scoped in RouterNotes notes, RoutedDelivery delivery,
        bool isMarked)
    {
        bool isForRouter = delivery.Outlet.TakesStamps;
        if (!isForRouter && head.AnnotationsMap == 0)
        {
            message.CopyTo(delivery.Block);
            return message.Length;
        }

        var writer = new AmqpWriter(delivery.Block);
        writer.WriteRaw(message[..head.AnnotationsOffset]);
        if (isForRouter || notes.UserCount > 0)
        {
            writer.WriteDescriptor(Descriptors.MessageAnnotations);
            int map = writer.BeginCompound();
            writer.WriteRaw(notes.User);
            int own = isForRouter ? WriteStamp(ref writer, notes, isMarked) : 0;
            writer.EndMap(map, notes.UserCount + own);
        }

        writer.WriteRaw(message[head.BareOffset..]);
        return writer.Position;
    }

    private int WriteStamp(ref AmqpWriter writer, scoped in RouterNotes notes, bool isMarked)
    {
        if (_fallback is { } fallback)
        {
            return WriteFallbackStamp(ref writer, fallback, notes, isMarked);
        }

        if (TrustsNotes)
        {
            return RouterNotes.Write(ref writer, _network.StampId, notes.To, notes.Phase, isMarked, notes);
        }

        if (_routes.Within.Length > 0)
        {
            return RouterNotes.Write(ref writer, _network.StampId, _routes.Within, phase: 0, isMarked, default);
        }

        RouterStamp stamp = isMarked ? _markedStamp : _stamp;
        writer.WriteRaw(stamp.Entries);
        return stamp.Count;
    }

    private int WriteFallbackStamp(
        ref AmqpWriter writer, IRoute fallback, scoped in RouterNotes notes, bool isMarked)
    {
        byte[] to = Encoding.UTF8.GetBytes(fallback.Address);
        return TrustsNotes
            ? RouterNotes.Write(ref writer, _network.StampId, to, fallback.Phase, isMarked, notes)
            : RouterNotes.Write(ref writer, _network.StampId, to, fallback.Phase, isMarked, default);
    }
}

/// <summary>The routes of the addresses that a link's messages named. Owned by its connection.</summary>
internal sealed class RouteCache(INetwork network, int entriesMax)
{
    private readonly Dictionary<(string Address, int Phase), Kept> _routes = [];
    private byte[] _lastAddress = [];
    private int _lastPhase;
    private IRoute? _last;

    /// <summary>Refuses addresses by an exception; null: all may be used.</summary>
    public Action<string>? Authorize { get; init; }

    /// <summary>The virtual host that the addresses are within; null: they are the network's.</summary>
    public string? Tenant { get; init; }

    /// <summary>Where what goes to the address that was found last is counted.</summary>
    public AddressTally? Tally { get; private set; }

    /// <summary>The network's address for the one that was found last, in UTF-8; empty: the message's own
    /// counts.</summary>
    public byte[] Within { get; private set; } = [];

    /// <summary>Forgets all of them; what was counted stays with the addresses.</summary>
    public void Clear()
    {
        foreach (Kept kept in _routes.Values)
        {
            kept.Route.Tallies.Close(kept.Tally);
        }

        _routes.Clear();
        _last = null;
    }

    /// <summary>Where messages to an address go; null: nobody wants them.</summary>
    public IRoute? Find(ReadOnlySpan<byte> address, int? phase)
    {
        int known = phase ?? -1;
        if (_last is { IsRetired: false } last && known == _lastPhase && address.SequenceEqual(_lastAddress))
        {
            return last;
        }

        IRoute? found = LookUp(address, phase, known);
        _last = found;
        _lastPhase = known;
        if (found is not null)
        {
            _lastAddress = address.ToArray();
        }

        return found;
    }

    private IRoute? LookUp(ReadOnlySpan<byte> address, int? phase, int known)
    {
        (string Address, int) key = (Encoding.UTF8.GetString(address), known);
        if (_routes.TryGetValue(key, out Kept kept) && !kept.Route.IsRetired)
        {
            (Tally, Within) = (kept.Tally, kept.Within);
            return kept.Route;
        }

        Authorize?.Invoke(key.Address);
        Within = Tenant is null ? [] : Encoding.UTF8.GetBytes(network.NameWithin(Tenant, key.Address));
        IRoute? found = network.Find(Tenant is null ? address : Within, phase);
        if (_routes.Count >= entriesMax)
        {
            Clear();
        }

        if (found is not null)
        {
            Tally = found.Tallies.Open();
            _routes[key] = new Kept(found, Tally, Within);
        }

        return found;
    }

    private readonly record struct Kept(IRoute Route, AddressTally Tally, byte[] Within);
}
