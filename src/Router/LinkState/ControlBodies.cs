using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.LinkState;

/// <summary>Turns the fields of a body into the message that its opcode names.</summary>
internal static class ControlBodies
{
    public static ControlMessage Read(string opcode, string id, scoped in ControlFields fields) => opcode switch
    {
        "HELLO" => new Hello(id, fields.Instance, ReadSeen(fields)),
        "RA" => new RouterAdvertisement(id, fields.Instance, Need(fields.LsSeq), Need(fields.MobileSeq)),
        "LSR" => new LinkStateRequest(id),
        "LSU" => ReadLinkState(id, fields),
        "MAU" => ReadAddresses(id, fields),
        "MAR" => new MobileAddressRequest(id, Need(fields.HaveSeq)),
        _ => throw ControlReader.Refused("its opcode is not known"),
    };

    private static long Need(long? field) => field ?? throw ControlReader.Refused("a field is missing");

    private static ImmutableArray<string> ReadSeen(scoped in ControlFields fields)
    {
        ControlReader.Require(!fields.Seen.IsEmpty, "a HELLO does not say whom it has seen");
        return ControlReader.ReadStrings(fields.Seen, RouterLimits.RoutersMax, RouterLimits.IdBytesMax);
    }

    private static LinkStateUpdate ReadLinkState(string id, scoped in ControlFields fields)
    {
        ControlReader.Require(!fields.LinkState.IsEmpty, "an LSU has no link state");
        ControlFields state = ControlFields.Read(fields.LinkState);
        ControlReader.Require(state.Id == id, "an LSU is of another router than its link state");
        ControlReader.Require(!state.Peers.IsEmpty, "a link state has no peers");
        return new LinkStateUpdate(id, fields.Instance, Need(state.LsSeq), ReadPeers(id, state.Peers));
    }

    private static ImmutableArray<PeerCost> ReadPeers(string id, ReadOnlySpan<byte> encoded)
    {
        AmqpReader reader = new(encoded);
        CompoundHeader header = reader.ReadMapHeader();
        int count = header.Count / 2;
        ControlReader.Require(count < RouterLimits.RoutersMax, "a link state has too many peers");
        HashSet<string> seen = new(count, StringComparer.Ordinal);
        ImmutableArray<PeerCost>.Builder peers = ImmutableArray.CreateBuilder<PeerCost>(count);
        for (int i = 0; i < count; i++)
        {
            string peer = ControlReader.ReadText(ref reader, RouterLimits.IdBytesMax);
            ControlReader.Require(RouterId.IsValid(peer) && peer != id, "a peer's id is none");
            ControlReader.Require(seen.Add(peer), "a link state names a peer twice");
            bool valid = reader.ReadScalar().TryGetInt64(out long cost) && cost is >= 1 and <= RouterLimits.LinkCostMax;
            ControlReader.Require(valid, "the cost of a link is beyond its limits");
            peers.Add(new PeerCost(peer, (int)cost));
        }
        reader.EndCompound(header);
        return peers.MoveToImmutable();
    }

    private static MobileAddressUpdate ReadAddresses(string id, scoped in ControlFields fields)
    {
        bool absolute = !fields.Exist.IsEmpty;
        bool whole = absolute
            ? fields.Add.IsEmpty && fields.Delete.IsEmpty
            : !fields.Add.IsEmpty && !fields.Delete.IsEmpty;
        ControlReader.Require(whole, "an MAU has neither exist nor add and del, or both");
        ImmutableArray<string> keys = ReadKeys(absolute ? fields.Exist : fields.Add);
        return new MobileAddressUpdate(
            id,
            Need(fields.MobileSeq),
            absolute,
            WithHints(keys, fields.Hints),
            absolute ? [] : ReadKeys(fields.Delete))
        {
            Instance = fields.Instance,
        };
    }

    private static ImmutableArray<string> ReadKeys(ReadOnlySpan<byte> encoded) =>
        ControlReader.ReadStrings(encoded, RouterLimits.AddressesPerRouterMax, RouterLimits.AddressBytesMax);

    // Hints that are not one for each address are ignored.
    private static ImmutableArray<AddressHint> WithHints(ImmutableArray<string> keys, ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty || encoded[0] is not (FormatCode.List0 or FormatCode.List8 or FormatCode.List32))
        {
            return [.. keys.Select(key => new AddressHint(key, null))];
        }
        AmqpReader reader = new(encoded);
        CompoundHeader header = reader.ReadListHeader();
        bool paired = header.Count == keys.Length;
        ImmutableArray<AddressHint>.Builder hinted = ImmutableArray.CreateBuilder<AddressHint>(keys.Length);
        foreach (string key in keys)
        {
            hinted.Add(new AddressHint(key, paired ? ReadHint(ref reader) : null));
        }
        return hinted.MoveToImmutable();
    }

    private static AddressTreatment? ReadHint(scoped ref AmqpReader reader) =>
        reader.ReadScalar().TryGetInt64(out long hint) && hint is >= 0 and <= (int)AddressTreatment.Unavailable
            ? (AddressTreatment)hint
            : null;
}
