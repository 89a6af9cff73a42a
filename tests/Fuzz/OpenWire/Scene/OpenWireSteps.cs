using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Fuzz.OpenWire.Scene;

/// <summary>The usual commands of a conversation.</summary>
internal static class OpenWireSteps
{
    public const string Connection = "ID:peer-1";

    public static readonly ConnectionId ConnectionId = new() { Value = Connection };

    public static readonly ConsumerId ConsumerId = new() { Connection = Connection, Session = 1, Value = 1 };

    public static readonly ProducerId ProducerId = new() { Connection = Connection, Session = 1, Value = 1 };

    public static WireFormatInfo Greeting(WireFormat wanted) => new WireFormatInfo
    {
        Version = wanted.Version,
        TightEncodingEnabled = wanted.IsTight,
        CacheEnabled = wanted.IsCached,
        CacheSize = wanted.CacheSlots,
        SizePrefixDisabled = !wanted.HasSizePrefix,
    }.Seal();

    public static ConnectionInfo Login(string? name = null) => new()
    {
        ConnectionId = name is null ? ConnectionId : new ConnectionId { Value = name },
        ClientId = name ?? "peer",
    };

    public static SessionInfo Session(string? connection = null) =>
        new() { SessionId = new SessionId { Connection = connection ?? Connection, Value = 1 } };

    public static ProducerInfo Producer() => new() { ProducerId = ProducerId };

    public static ConsumerInfo Consumer(
        Destination destination, int prefetch = 100, string? connection = null) => new()
        {
            ConsumerId = ConsumerId with { Connection = connection ?? Connection },
            Destination = destination,
            PrefetchSize = prefetch,
        };

    public static Message Text(Destination to, int number) => new(DataType.TextMessage)
    {
        ProducerId = ProducerId,
        MessageId = new MessageId { Producer = ProducerId, ProducerSequence = number },
        Destination = to,
        Persistent = true,
        Priority = 4,
        Content = new byte[] { 0, 0, 0, 1, (byte)('a' + (number % 26)) },
    };

    public static MessageAck Ack(MessageDispatch last, AckType type = AckType.Standard) => new()
    {
        ConsumerId = last.ConsumerId,
        Destination = last.Destination,
        AckType = (byte)type,
        LastMessageId = last.Message!.MessageId,
        MessageCount = 1,
    };

    public static TransactionInfo Transaction(ITransactionId id, TransactionStep step) =>
        new() { ConnectionId = ConnectionId, TransactionId = id, Step = (byte)step };

    /// <summary>A peer that has negotiated.</summary>
    public static OpenWirePeer Greeted(this OpenWireScene scene, WireFormat? wanted = null)
    {
        OpenWirePeer peer = scene.Connect();
        peer.Wanted = wanted ?? new WireFormat(12, IsTight: true, IsCached: true);
        peer.Send(peer.BytesOf(Greeting(peer.Wanted)));
        return peer;
    }

    /// <summary>A peer that has logged in, with a session and a producer.</summary>
    public static OpenWirePeer InSession(
        this OpenWireScene scene, WireFormat? wanted = null, string? loginAs = null)
    {
        OpenWirePeer peer = scene.Greeted(wanted);
        peer.Ask(Login(loginAs));
        peer.Ask(Session(loginAs));
        if (loginAs is null)
        {
            peer.Ask(Producer());
        }

        return peer;
    }
}
