using System.Buffers;
using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.LinkState;

// header                   list [durable = false]
// message-annotations      map  x-opt-qd.to (only passed on), x-opt-qd.ingress, x-opt-qd.trace
// properties               list [null, null, to]
// application-properties   map  opcode
// amqp-value               map  HELLO  id pv area instance seen
//                               RA     id pv area instance ls_seq mobile_seq
//                               LSR    id pv area
//                               LSU    id pv area instance ls_seq ls {id area ls_seq peers {id: cost}}
//                               MAU    id pv area mobile_seq (exist hints | hints add del) instance
//                               MAR    id pv area have_seq
//
// The first four have string keys and ints, the last two symbol keys and longs, as the protocol's peers write them. The
// instance of a MAU is of nodes like this one alone: others pass over a key that they do not know.

/// <summary>Writes control messages. Pure.</summary>
public static class ControlWriter
{
    /// <summary>A message that this router makes.</summary>
    /// <param name="to">Where it goes.</param>
    /// <param name="message">What it says.</param>
    public static byte[] Write(in ControlAddress to, ControlMessage message)
    {
        ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output);
        WriteHeader(ref writer);
        string self = RouterAnnotations.NodeId(message.Id);
        WriteAnnotations(ref writer, null, self, [], self);
        WriteProperties(ref writer, to.ToString());
        writer.WriteDescriptor(Descriptors.ApplicationProperties);
        int map = writer.BeginCompound();
        writer.WriteString("opcode");
        writer.WriteString(message.Opcode);
        writer.EndMap(map, 2);
        writer.WriteDescriptor(Descriptors.AmqpValue);
        WriteBody(ref writer, message);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A message of another router to pass on: its bytes with this router in the trace.</summary>
    /// <param name="envelope">As it came.</param>
    /// <param name="self">The id of this router.</param>
    public static byte[] Forward(ControlEnvelope envelope, string self)
    {
        ArrayBufferWriter<byte> output = new(envelope.Bare.Length + 256);
        AmqpWriter writer = new(output);
        writer.WriteRaw(envelope.Header.Span);
        string own = RouterAnnotations.NodeId(self);
        WriteAnnotations(ref writer, envelope.ToOverride, envelope.Ingress ?? own, envelope.Trace, own);
        writer.WriteRaw(envelope.Bare.Span);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    private static void WriteHeader(scoped ref AmqpWriter writer)
    {
        writer.WriteDescriptor(HeaderSection.DescriptorCode);
        int list = writer.BeginCompound();
        writer.WriteBoolean(false);
        writer.EndList(list, 1);
    }

    private static void WriteProperties(scoped ref AmqpWriter writer, string to)
    {
        writer.WriteDescriptor(MessageProperties.DescriptorCode);
        int list = writer.BeginCompound();
        writer.WriteNull();
        writer.WriteNull();
        writer.WriteString(to);
        writer.EndList(list, 3);
    }

    private static void WriteAnnotations(
        scoped ref AmqpWriter writer, string? to, string ingress, ImmutableArray<string> trace, string last)
    {
        writer.WriteDescriptor(Descriptors.MessageAnnotations);
        int map = writer.BeginCompound();
        if (to is not null)
        {
            writer.WriteSymbol(RouterAnnotations.To);
            writer.WriteString(to);
        }
        writer.WriteSymbol(RouterAnnotations.Ingress);
        writer.WriteString(ingress);
        writer.WriteSymbol(RouterAnnotations.Trace);
        int list = writer.BeginCompound();
        foreach (string node in trace)
        {
            writer.WriteString(node);
        }
        writer.WriteString(last);
        writer.EndList(list, trace.Length + 1);
        writer.EndMap(map, to is null ? 4 : 6);
    }

    private static void WriteBody(scoped ref AmqpWriter writer, ControlMessage message)
    {
        int map = writer.BeginCompound();
        bool symbols = message is MobileAddressUpdate or MobileAddressRequest;
        WriteText(ref writer, symbols, "id", message.Id);
        WriteNumber(ref writer, symbols, "pv", ControlMessage.Version);
        WriteText(ref writer, symbols, "area", ControlAddress.Area);
        int more = message switch
        {
            Hello hello => WriteHello(ref writer, hello),
            RouterAdvertisement ra => WriteAdvertisement(ref writer, ra),
            LinkStateUpdate update => WriteLinkState(ref writer, update),
            MobileAddressUpdate update => WriteAddresses(ref writer, update),
            MobileAddressRequest request => WriteNumber(ref writer, symbols: true, "have_seq", request.HaveSeq),
            _ => 0,
        };
        writer.EndMap(map, 6 + more);
    }

    private static int WriteHello(scoped ref AmqpWriter writer, Hello hello)
    {
        WriteNumber(ref writer, symbols: false, "instance", hello.Instance);
        writer.WriteString("seen");
        int list = writer.BeginCompound();
        foreach (string id in hello.Seen)
        {
            writer.WriteString(id);
        }
        writer.EndList(list, hello.Seen.Length);
        return 4;
    }

    private static int WriteAdvertisement(scoped ref AmqpWriter writer, RouterAdvertisement ra) =>
        WriteNumber(ref writer, symbols: false, "instance", ra.Instance)
        + WriteNumber(ref writer, symbols: false, "ls_seq", ra.LsSeq)
        + WriteNumber(ref writer, symbols: false, "mobile_seq", ra.MobileSeq);

    private static int WriteLinkState(scoped ref AmqpWriter writer, LinkStateUpdate update)
    {
        WriteNumber(ref writer, symbols: false, "instance", update.Instance);
        WriteNumber(ref writer, symbols: false, "ls_seq", update.LsSeq);
        writer.WriteString("ls");
        int state = writer.BeginCompound();
        WriteText(ref writer, symbols: false, "id", update.Id);
        WriteText(ref writer, symbols: false, "area", ControlAddress.Area);
        WriteNumber(ref writer, symbols: false, "ls_seq", update.LsSeq);
        writer.WriteString("peers");
        int peers = writer.BeginCompound();
        foreach (PeerCost peer in update.Peers)
        {
            WriteNumber(ref writer, symbols: false, peer.Id, peer.Cost);
        }
        writer.EndMap(peers, update.Peers.Length * 2);
        writer.EndMap(state, 8);
        return 6;
    }

    private static int WriteAddresses(scoped ref AmqpWriter writer, MobileAddressUpdate update)
    {
        int more = update.Instance == 0 ? 0 : WriteNumber(ref writer, symbols: true, "instance", update.Instance);
        WriteNumber(ref writer, symbols: true, "mobile_seq", update.MobileSeq);
        if (update.IsAbsolute)
        {
            WriteKeys(ref writer, "exist", update.Added.Select(a => a.Key));
            WriteHints(ref writer, update.Added);
            return more + 6;
        }
        WriteHints(ref writer, update.Added);
        WriteKeys(ref writer, "add", update.Added.Select(a => a.Key));
        WriteKeys(ref writer, "del", update.Deleted);
        return more + 8;
    }

    private static void WriteKeys(scoped ref AmqpWriter writer, string name, IEnumerable<string> keys)
    {
        writer.WriteSymbol(name);
        int list = writer.BeginCompound();
        int count = 0;
        foreach (string key in keys)
        {
            writer.WriteString(key);
            count++;
        }
        writer.EndList(list, count);
    }

    private static void WriteHints(scoped ref AmqpWriter writer, ImmutableArray<AddressHint> addresses)
    {
        writer.WriteSymbol("hints");
        int list = writer.BeginCompound();
        foreach (AddressHint address in addresses)
        {
            writer.WriteInt((int)(address.Treatment ?? AddressTreatment.Balanced));
        }
        writer.EndList(list, addresses.Length);
    }

    private static void WriteText(scoped ref AmqpWriter writer, bool symbols, string key, string value)
    {
        WriteKey(ref writer, symbols, key);
        writer.WriteString(value);
    }

    // The items that it wrote: a key and a value.
    private static int WriteNumber(scoped ref AmqpWriter writer, bool symbols, string key, long value)
    {
        WriteKey(ref writer, symbols, key);
        if (!symbols && value == (int)value)
        {
            writer.WriteInt((int)value);
        }
        else
        {
            writer.WriteLong(value);
        }
        return 2;
    }

    private static void WriteKey(scoped ref AmqpWriter writer, bool symbols, string key)
    {
        if (symbols)
        {
            writer.WriteSymbol(key);
        }
        else
        {
            writer.WriteString(key);
        }
    }
}
