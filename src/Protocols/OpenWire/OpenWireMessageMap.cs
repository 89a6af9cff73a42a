using System.Buffers;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Producers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>
/// Messages to the broker's header and payload, and back. The payload is the message command as OpenWire version 12
/// writes it in loose encoding, without size and cache, and without what belongs to one hop. One per connection.
/// </summary>
internal sealed class OpenWireMessageMap
{
    /// <summary>How payloads are written.</summary>
    internal static readonly WireFormat StoredFormat = new(WireLimits.VersionMax, HasSizePrefix: false);

    private readonly WireWriter _writer = new();
    private readonly WireReader _reader = new();
    private readonly ArrayBufferWriter<byte> _payload = new();

    public OpenWireMessageMap()
    {
        _writer.Use(StoredFormat);
        _reader.Use(StoredFormat);
    }

    /// <summary>What the broker reads of a message. Errors: a schedule that is not supported.</summary>
    public static MessageHeader ToHeader(Message message, long nowMs) => new()
    {
        DeliverAtMs = message.MarshalledProperties is { IsEmpty: false } properties
            ? ScheduledDelay.DeliverAtMs(properties.Span, nowMs) : 0,
        Group = MessageGroup.Of(message.GroupId.Bytes.Span, isLast: message.GroupSequence < 0),
        Durable = message.Persistent,
        Priority = Math.Min(message.Priority, (byte)9),
        ExpiresAtMs = Math.Max(0, message.Expiration),
        Format = PayloadFormat.OpenWire,
    };

    /// <summary>The payload of a message for one of its destinations. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> ToPayload(Message message, Destination destination)
    {
        message.OriginalDestination ??= destination == message.Destination ? null : message.Destination;
        message.Destination = destination;
        message.CommandId = 0;
        message.ResponseRequired = false;
        message.TransactionId = null;
        message.OriginalTransactionId = null;
        message.TargetConsumerId = null;
        message.BrokerPath = null;
        message.Cluster = null;
        message.RedeliveryCounter = 0;
        _payload.ResetWrittenCount();
        _writer.Write(message, _payload);
        return _payload.WrittenMemory;
    }

    /// <summary>The message of a payload; its texts and body are slices of the payload.</summary>
    public Message Read(in MessageHeader header, ReadOnlyMemory<byte> payload)
    {
        if (header.Format != PayloadFormat.OpenWire)
        {
            throw new OpenWireException($"a message of format {header.Format} cannot be told to this client");
        }

        var message = _reader.Read(payload) as Message
            ?? throw new OpenWireException("the stored message is none");
        message.Priority = header.Priority;
        message.Persistent = header.Durable;
        message.Expiration = header.ExpiresAtMs;
        return message;
    }
}
