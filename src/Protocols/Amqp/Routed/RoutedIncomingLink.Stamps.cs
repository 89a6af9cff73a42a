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
        ? RoutedBytes.SectionBytesMax + _markedStamp.Entries.Length
        : RoutedBytes.SectionBytesMax + RouterNotes.BytesMax(_network.StampId) + notes.To.Length + notes.Ingress.Length
            + notes.Trace.Length + FallbackBytesMax;

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
internal sealed class RouteCache(INetwork network, int entriesMax, Action<string>? authorize)
{
    private readonly Dictionary<(string Address, int Phase), (IRoute Route, AddressTally Tally)> _routes = [];
    private byte[] _lastAddress = [];
    private int _lastPhase;
    private IRoute? _last;

    /// <summary>Where what goes to the address that was found last is counted.</summary>
    public AddressTally? Tally { get; private set; }

    /// <summary>Forgets all of them; what was counted stays with the addresses.</summary>
    public void Clear()
    {
        foreach ((IRoute route, AddressTally tally) in _routes.Values)
        {
            route.Tallies.Close(tally);
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
        if (_routes.TryGetValue(key, out (IRoute Route, AddressTally Tally) kept) && !kept.Route.IsRetired)
        {
            Tally = kept.Tally;
            return kept.Route;
        }

        authorize?.Invoke(key.Address);
        IRoute? found = network.Find(address, phase);
        if (_routes.Count >= entriesMax)
        {
            Clear();
        }

        if (found is not null)
        {
            Tally = found.Tallies.Open();
            _routes[key] = (found, Tally);
        }

        return found;
    }
}
