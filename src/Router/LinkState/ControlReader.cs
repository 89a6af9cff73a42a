using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.LinkState;

/// <summary>
/// Reads control messages (table at <see cref="ControlWriter"/>). Keys may be strings or symbols, numbers integers of
/// any width. Pure; what is malformed or beyond <see cref="RouterLimits"/> is refused whole.
/// </summary>
public static class ControlReader
{
    /// <summary>Reads a whole message. False: it is refused, and <paramref name="fault"/> says why.</summary>
    /// <param name="message">The bytes, which the envelope refers to.</param>
    /// <param name="envelope">What it is.</param>
    /// <param name="fault">For people.</param>
    /// <param name="reader">
    /// The router that reads it: what is for another one is to be passed on, and its body stays unread. Null: any.
    /// </param>
    public static bool TryRead(
        ReadOnlyMemory<byte> message,
        [NotNullWhen(true)] out ControlEnvelope? envelope,
        [NotNullWhen(false)] out string? fault,
        string? reader = null)
    {
        (envelope, fault) = (null, null);
        try
        {
            envelope = Read(message, reader);
        }
        catch (AmqpException refused)
        {
            fault = refused.Message;
        }
        return envelope is not null;
    }

    private static ControlEnvelope Read(ReadOnlyMemory<byte> message, string? reader)
    {
        Require(message.Length <= RouterLimits.ControlBytesMax, "a control message is too long");
        MessageView view = new(message.Span);
        MessageSections sections = view.Sections;
        string? toOverride = TextOf(view.MessageAnnotations, "x-opt-qd.to"u8);
        string to = toOverride ?? view.Properties.To ?? throw Refused("it has no address");
        Require(ControlAddress.TryParse(to, out ControlAddress address), "its address is none of the router's");
        Require(sections.BodyKind == BodyKind.Value, "its body is no value");
        string opcode = TextOf(view.ApplicationProperties, "opcode"u8) ?? throw Refused("it has no opcode");
        ControlFields fields = ControlFields.Read(sections.Body.ContentOf(message.Span));
        string id = fields.Id ?? throw Refused("it has no id");
        bool isRead = fields.Version <= ControlMessage.Version
            && (reader is null || address.Router is null || address.IsForAll || address.Router == reader);
        return new ControlEnvelope
        {
            To = address,
            ToOverride = toOverride,
            Ingress = TextOf(view.MessageAnnotations, "x-opt-qd.ingress"u8),
            Trace = TraceOf(view.MessageAnnotations),
            Id = id,
            Version = fields.Version,
            Message = isRead ? ControlBodies.Read(opcode, id, fields) : null,
            Header = message[sections.Header.Offset..sections.Header.End],
            Bare = message[sections.BareOffset..],
        };
    }

    private static string? TextOf(MapView map, ReadOnlySpan<byte> key)
    {
        if (!map.TryGet(key, out AmqpScalar value) || value.IsNull)
        {
            return null;
        }
        Require(value.IsText, "an annotation or property is no text");
        Require(value.Content.Length <= RouterLimits.AddressBytesMax, "an annotation or property is too long");
        return value.GetText();
    }

    private static ImmutableArray<string> TraceOf(MapView annotations) =>
        annotations.TryGet("x-opt-qd.trace"u8, out AmqpScalar value) && !value.IsNull
            ? ReadStrings(value.Encoded, RouterLimits.RoutersMax, RouterLimits.IdBytesMax + 2)
            : [];

    /// <summary>A list of strings or symbols.</summary>
    internal static ImmutableArray<string> ReadStrings(ReadOnlySpan<byte> encoded, int countMax, int bytesMax)
    {
        AmqpReader reader = new(encoded);
        CompoundHeader header = reader.ReadListHeader();
        Require(header.Count <= countMax, "a list has too many items");
        ImmutableArray<string>.Builder items = ImmutableArray.CreateBuilder<string>(header.Count);
        for (int i = 0; i < header.Count; i++)
        {
            items.Add(ReadText(ref reader, bytesMax));
        }
        reader.EndCompound(header);
        return items.MoveToImmutable();
    }

    internal static string ReadText(scoped ref AmqpReader reader, int bytesMax)
    {
        AmqpScalar item = reader.ReadScalar();
        Require(item.IsText, "an item is no text");
        Require(item.Content.Length is > 0 && item.Content.Length <= bytesMax, "a text is empty or too long");
        return item.GetText()!;
    }

    internal static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw Refused(what);
        }
    }

    internal static AmqpException Refused(string what) => new(AmqpErrorCondition.InvalidField, what);
}
