using System.Buffers;
using System.Text;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// The router's own entries in the message annotations (version 1): they stand behind the user's, from the first key
/// that begins with <c>x-opt-qd.</c> on. Spans are slices of the message.
/// </summary>
internal ref struct RouterNotes
{
    private const int EntriesMax = 1024;

    /// <summary>The user's entries, encoded one after the other.</summary>
    public ReadOnlySpan<byte> User { get; private set; }

    /// <summary>How many keys and values those are.</summary>
    public int UserCount { get; private set; }

    /// <summary>Where the message goes, in UTF-8; empty: its own address counts.</summary>
    public ReadOnlySpan<byte> To { get; private set; }

    /// <summary>Where it entered the network, in UTF-8.</summary>
    public ReadOnlySpan<byte> Ingress { get; private set; }

    /// <summary>The encoded strings of the nodes that it has passed.</summary>
    public ReadOnlySpan<byte> Trace { get; private set; }

    /// <summary>How many those are.</summary>
    public int TraceCount { get; private set; }

    /// <summary>The phase, 0 to 9, or that of fallback destinations.</summary>
    public int Phase { get; private set; }

    /// <summary>Whether the sender settled it before: the hop between nodes is unsettled so that nothing is
    /// lost.</summary>
    public bool IsPreSettled { get; private set; }

    /// <summary>Whether the message has no end in sight: it goes on a link of its own.</summary>
    public bool IsStream { get; set; }

    /// <summary>The message enters the network here, whatever it says.</summary>
    public void ForgetWay()
    {
        Ingress = default;
        Trace = default;
        TraceCount = 0;
    }

    private static ReadOnlySpan<byte> Prefix => "x-opt-qd."u8;

    private static ReadOnlySpan<byte> PreSettledKey => "x-opt-qd.x-presettled"u8;

    /// <summary>Reads the annotations' map. Errors: invalid-field, when an entry of a router has another
    /// type.</summary>
    public static RouterNotes Read(ReadOnlySpan<byte> map)
    {
        RouterNotes notes = default;
        var reader = new AmqpReader(map);
        int count = reader.ReadMapHeader().Count;
        int start = reader.Position;
        if (count > EntriesMax)
        {
            throw Invalid($"message annotations of {count} keys and values");
        }

        bool isOwnSeen = false;
        for (int i = 0; i < count; i += 2)
        {
            AmqpScalar key = reader.ReadScalar();
            if (key.Type == AmqpType.Symbol && key.Content.StartsWith(Prefix))
            {
                isOwnSeen = true;
                notes.ReadOwn(key.Content, ref reader);
                continue;
            }

            reader.Skip();
            if (!isOwnSeen)
            {
                notes.UserCount = i + 2;
                notes.User = map[start..reader.Position];
            }
        }

        return notes;
    }

    private void ReadOwn(ReadOnlySpan<byte> key, ref AmqpReader reader)
    {
        AmqpScalar value = reader.ReadScalar();
        ReadOnlySpan<byte> name = key[Prefix.Length..];
        if (name.SequenceEqual("to"u8))
        {
            To = TextOf(value, "to");
        }
        else if (name.SequenceEqual("ingress"u8))
        {
            Ingress = TextOf(value, "ingress");
        }
        else if (name.SequenceEqual("trace"u8))
        {
            ReadTrace(value);
        }
        else if (name.SequenceEqual("phase"u8))
        {
            Phase = value.TryGetInt64(out long phase) && phase is (>= 0 and <= 9) or Containers.RoutePlace.Fallback
                ? (int)phase
                : throw Invalid("x-opt-qd.phase is no phase");
        }
        else if (name.SequenceEqual("stream"u8))
        {
            IsStream = value.TryGetInt64(out long stream) && stream != 0;
        }
        else if (key.SequenceEqual(PreSettledKey))
        {
            IsPreSettled = true;
        }
    }

    private static ReadOnlySpan<byte> TextOf(AmqpScalar value, string name) => value.Type == AmqpType.String
        ? value.Content
        : throw Invalid($"x-opt-qd.{name} is no string");

    private void ReadTrace(AmqpScalar value)
    {
        if (value.Type != AmqpType.List)
        {
            throw Invalid("x-opt-qd.trace is no list");
        }

        var items = new AmqpReader(value.Encoded);
        int count = items.ReadListHeader().Count;
        int start = items.Position;
        for (int i = 0; i < count; i++)
        {
            if (items.ReadScalar().Type != AmqpType.String)
            {
                throw Invalid("x-opt-qd.trace holds something else than strings");
            }
        }

        Trace = value.Encoded[start..items.Position];
        TraceCount = count;
    }

    /// <summary>The entries that the node where a message enters the network gives it.</summary>
    public static byte[] Entries(string nodeId, string? to, int phase, bool isPreSettled, out int count) =>
        Entries(nodeId, to is null ? default : Encoding.UTF8.GetBytes(to), phase, isPreSettled, default, out count);

    /// <summary>The entries for the next hop: those that came (<paramref name="before"/>), with this node behind the
    /// nodes that were passed.</summary>
    public static byte[] Entries(
        string nodeId, scoped ReadOnlySpan<byte> to, int phase, bool isPreSettled, scoped in RouterNotes before,
        out int count)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        count = Write(ref writer, nodeId, to, phase, isPreSettled, before);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Writes the same; returns how many keys and values they are. Without a node's id nothing is said of the
    /// way.</summary>
    public static int Write(
        ref AmqpWriter writer, string nodeId, scoped ReadOnlySpan<byte> to, int phase, bool isPreSettled,
        scoped in RouterNotes before)
    {
        int count = 0;
        if (isPreSettled)
        {
            writer.WriteSymbolAscii(PreSettledKey);
            writer.WriteInt(1);
            count += 2;
        }

        if (phase != 0)
        {
            writer.WriteSymbolAscii("x-opt-qd.phase"u8);
            writer.WriteInt(phase);
            count += 2;
        }

        if (before.IsStream)
        {
            writer.WriteSymbolAscii("x-opt-qd.stream"u8);
            writer.WriteInt(1);
            count += 2;
        }

        if (!to.IsEmpty)
        {
            writer.WriteSymbolAscii("x-opt-qd.to"u8);
            writer.WriteStringUtf8(to);
            count += 2;
        }

        if (nodeId.Length == 0)
        {
            return count;
        }

        writer.WriteSymbolAscii("x-opt-qd.ingress"u8);
        if (before.Ingress.IsEmpty)
        {
            WriteNode(ref writer, nodeId);
        }
        else
        {
            writer.WriteStringUtf8(before.Ingress);
        }

        writer.WriteSymbolAscii("x-opt-qd.trace"u8);
        int list = writer.BeginCompound();
        writer.WriteRaw(before.Trace);
        WriteNode(ref writer, nodeId);
        writer.EndList(list, before.TraceCount + 1);
        return count + 4;
    }

    /// <summary>Bytes that <see cref="Write"/> takes at most, besides what came before and the address.</summary>
    public static int BytesMax(string nodeId) => 192 + (4 * nodeId.Length * 2);

    private static void WriteNode(ref AmqpWriter writer, string nodeId)
    {
        Span<byte> text = stackalloc byte[512];
        "0/"u8.CopyTo(text);
        int bytes = 2 + Encoding.UTF8.GetBytes(nodeId, text[2..]);
        writer.WriteStringUtf8(text[..bytes]);
    }

    private static AmqpException Invalid(string message) =>
        new(AmqpErrorCondition.InvalidField, message, AmqpSeverity.Link);
}
