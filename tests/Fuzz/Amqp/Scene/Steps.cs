using System.Text;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>The usual steps of a conversation; each gives the node's answer.</summary>
internal static class Steps
{
    public static readonly Open Open = new() { ContainerId = "peer" };

    public static readonly Begin Begin = new() { NextOutgoingId = 0, IncomingWindow = 1000, OutgoingWindow = 1000 };

    /// <summary>Headers and open.</summary>
    public static AmqpPeer Opened(this AmqpScene scene, Open? open = null)
    {
        AmqpPeer peer = scene.Connect();
        peer.Send([.. ProtocolHeader.Amqp, .. FrameBytes.Of(open ?? Open)]);
        peer.Next(Pillarbox.Protocols.Amqp.Wire.Open.DescriptorCode);
        return peer;
    }

    /// <summary>Headers, open and a session on channel 0.</summary>
    public static AmqpPeer InSession(this AmqpScene scene, Begin? begin = null, Open? open = null)
    {
        AmqpPeer peer = scene.Opened(open);
        peer.Send(FrameBytes.Of(begin ?? Begin));
        peer.Next(Pillarbox.Protocols.Amqp.Wire.Begin.DescriptorCode);
        return peer;
    }

    /// <summary>A link on which the peer sends; takes the attach and the first credit.</summary>
    public static uint AttachSender(
        this AmqpPeer peer, uint handle, string? address, SenderSettleMode mode = SenderSettleMode.Mixed)
    {
        peer.Send(FrameBytes.Of(SenderAttach(handle, address, mode)));
        peer.Next(Attach.DescriptorCode);
        return peer.Next(Flow.DescriptorCode).AsFlow().LinkCredit ?? 0;
    }

    public static Attach SenderAttach(uint handle, string? address, SenderSettleMode mode = SenderSettleMode.Mixed) =>
        new()
        {
            Name = $"sender-{handle}",
            Handle = handle,
            Role = Role.Sender,
            SenderSettleMode = mode,
            Source = new Source(),
            Target = new Target { Address = address },
            InitialDeliveryCount = 0,
        };

    /// <summary>A link on which the peer receives; takes the attach.</summary>
    public static Attach AttachReceiver(
        this AmqpPeer peer, uint handle, string address, SenderSettleMode mode = SenderSettleMode.Mixed)
    {
        peer.Send(FrameBytes.Of(ReceiverAttach(handle, new Source { Address = address }, mode)));
        return peer.Next(Attach.DescriptorCode).AsAttach();
    }

    public static Attach ReceiverAttach(uint handle, Source? source, SenderSettleMode mode = SenderSettleMode.Mixed) =>
        new()
        {
            Name = $"receiver-{handle}",
            Handle = handle,
            Role = Role.Receiver,
            SenderSettleMode = mode,
            Source = source,
            Target = new Target(),
        };

    public static AmqpPeer Credit(
        this AmqpPeer peer, uint handle, uint credit, uint deliveryCount = 0, bool drain = false) =>
        peer.Send(FrameBytes.Of(new Flow
        {
            NextIncomingId = 0,
            IncomingWindow = 1000,
            NextOutgoingId = 0,
            OutgoingWindow = 1000,
            Handle = handle,
            DeliveryCount = deliveryCount,
            LinkCredit = credit,
            Drain = drain,
        }));

    public static AmqpPeer Transfer(
        this AmqpPeer peer, uint handle, uint id, ReadOnlySpan<byte> payload, bool settled = false,
        bool more = false) =>
        peer.Send(FrameBytes.Of(TransferOf(handle, id, settled, more), payload));

    public static Transfer TransferOf(uint handle, uint id, bool settled = false,
        bool more = false) => new()
        {
            Handle = handle,
            DeliveryId = id,
            DeliveryTag = BitConverter.GetBytes(id),
            MessageFormat = 0,
            Settled = settled,
            More = more,
        };

    /// <summary>A durable message with one data section.</summary>
    public static byte[] Message(string body, bool durable = true)
    {
        byte[] data = Encoding.UTF8.GetBytes(body);
        byte[] section = [0x00, 0x53, 0x75, 0xb0, .. BigEndian(data.Length), .. data];
        return durable ? [0x00, 0x53, 0x70, 0xc0, 0x02, 0x01, 0x41, .. section] : section;
    }

    /// <summary>The text of a message made by <see cref="Message"/>.</summary>
    public static string BodyOf(byte[] message)
    {
        MessageSections sections = MessageSections.Scan(message);
        return Encoding.UTF8.GetString(new AmqpReader(sections.Body.ContentOf(message)).ReadBinary());
    }

    private static byte[] BigEndian(int value) =>
        [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
