namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>The list of all structures: which type byte makes which. Nothing else is ever made of bytes.</summary>
internal static class DataTypes
{
    /// <summary>A new structure; null: there is none of that type.</summary>
    public static IDataStructure? Create(DataType type) => type switch
    {
        DataType.Queue or DataType.Topic or DataType.TempQueue or DataType.TempTopic => new Destination(type),
        DataType.MessageId => new MessageId(),
        DataType.LocalTransactionId => new LocalTransactionId(),
        DataType.XaTransactionId => new XaTransactionId(),
        DataType.ConnectionId => new ConnectionId(),
        DataType.SessionId => new SessionId(),
        DataType.ConsumerId => new ConsumerId(),
        DataType.ProducerId => new ProducerId(),
        DataType.BrokerId => new BrokerId(),
        DataType.SubscriptionInfo => new SubscriptionInfo(),
        DataType.NetworkBridgeFilter => new NetworkBridgeFilter(),
        DataType.WireFormatInfo => new WireFormatInfo(),
        >= DataType.Message and <= DataType.BlobMessage => new Message(type),
        _ => CreateCommand(type),
    };

    /// <summary>
    /// Whether a nested structure of this type says, in tight encoding, if it stands in a form of its own.
    /// </summary>
    public static bool HasOwnForm(DataType type) =>
        type is DataType.WireFormatInfo or (>= DataType.Message and <= DataType.BlobMessage);

    private static Command? CreateCommand(DataType type) => type switch
    {
        DataType.BrokerInfo => new BrokerInfo(),
        DataType.BrokerSubscriptionInfo => new BrokerSubscriptionInfo(),
        DataType.ConnectionInfo => new ConnectionInfo(),
        DataType.SessionInfo => new SessionInfo(),
        DataType.ConsumerInfo => new ConsumerInfo(),
        DataType.ProducerInfo => new ProducerInfo(),
        DataType.TransactionInfo => new TransactionInfo(),
        DataType.DestinationInfo => new DestinationInfo(),
        DataType.RemoveSubscriptionInfo => new RemoveSubscriptionInfo(),
        DataType.KeepAliveInfo or DataType.ShutdownInfo or DataType.FlushCommand => new PlainCommand(type),
        DataType.RemoveInfo => new RemoveInfo(),
        DataType.ControlCommand => new ControlCommand(),
        DataType.ConnectionError => new ConnectionError(),
        DataType.ConsumerControl => new ConsumerControl(),
        DataType.ConnectionControl => new ConnectionControl(),
        DataType.ProducerAck => new ProducerAck(),
        DataType.MessagePull => new MessagePull(),
        DataType.MessageDispatch => new MessageDispatch(),
        DataType.MessageDispatchNotification => new MessageDispatchNotification(),
        DataType.MessageAck => new MessageAck(),
        DataType.Response => new Response(),
        DataType.ExceptionResponse => new ExceptionResponse(),
        DataType.DataResponse => new DataResponse(),
        DataType.DataArrayResponse => new DataArrayResponse(),
        DataType.IntegerResponse => new IntegerResponse(),
        _ => null,
    };
}
