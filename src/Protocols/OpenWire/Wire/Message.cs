namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// A message of any of the seven types. Texts and bodies are slices of the frame that it was read from. The body of an
/// object message is bytes and stays bytes.
/// </summary>
internal sealed class Message(DataType type) : Command
{
    private const int AccountedBytesMin = 1024;

    public ProducerId? ProducerId;
    public Destination? Destination;
    public ITransactionId? TransactionId;
    public Destination? OriginalDestination;
    public MessageId? MessageId;
    public ITransactionId? OriginalTransactionId;
    public WireText GroupId;
    public int GroupSequence;
    public WireText CorrelationId;
    public bool Persistent;

    /// <summary>Milliseconds since the Unix epoch; 0: never.</summary>
    public long Expiration;
    public byte Priority;
    public Destination? ReplyTo;
    public long Timestamp;
    public WireText JmsType;
    public ReadOnlyMemory<byte>? Content;
    public ReadOnlyMemory<byte>? MarshalledProperties;
    public IDataStructure? DataStructure;
    public ConsumerId? TargetConsumerId;
    public bool Compressed;
    public int RedeliveryCounter;
    public BrokerId[]? BrokerPath;
    public long Arrival;
    public WireText UserId;
    public bool ReceivedByDfBridge;
    public bool Droppable;
    public BrokerId[]? Cluster;
    public long BrokerInTime;
    public long BrokerOutTime;
    public bool GroupFirstForConsumer;
    public string? RemoteBlobUrl;
    public string? MimeType;
    public bool DeletedByBroker;

    public override DataType Type { get; } = type;

    /// <summary>What clients count a message as in a producer's window.</summary>
    public int AccountedBytes => AccountedBytesMin + (Content?.Length ?? 0) + (MarshalledProperties?.Length ?? 0);

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ProducerId);
        fields.Cached(ref Destination);
        fields.Cached(ref TransactionId);
        fields.Cached(ref OriginalDestination);
        fields.Nested(ref MessageId);
        fields.Cached(ref OriginalTransactionId);
        fields.Text(ref GroupId);
        fields.Int(ref GroupSequence);
        fields.Text(ref CorrelationId);
        fields.Boolean(ref Persistent);
        fields.Long(ref Expiration);
        fields.Byte(ref Priority);
        fields.Nested(ref ReplyTo);
        fields.Long(ref Timestamp);
        fields.Text(ref JmsType);
        fields.Bytes(ref Content);
        fields.Bytes(ref MarshalledProperties);
        fields.Nested(ref DataStructure);
        fields.Cached(ref TargetConsumerId);
        fields.Boolean(ref Compressed);
        fields.Int(ref RedeliveryCounter);
        fields.Array(ref BrokerPath);
        fields.Long(ref Arrival);
        fields.Text(ref UserId);
        fields.Boolean(ref ReceivedByDfBridge);
        VisitLaterFields(fields);
    }

    private void VisitLaterFields(WireFields fields)
    {
        if (fields.Version >= 2)
        {
            fields.Boolean(ref Droppable);
        }

        if (fields.Version >= 3)
        {
            fields.Array(ref Cluster);
            fields.Long(ref BrokerInTime);
            fields.Long(ref BrokerOutTime);
        }

        if (fields.Version >= 10)
        {
            fields.Boolean(ref GroupFirstForConsumer);
        }

        if (Type == DataType.BlobMessage)
        {
            fields.String(ref RemoteBlobUrl);
            fields.String(ref MimeType);
            fields.Boolean(ref DeletedByBroker);
        }
    }
}
