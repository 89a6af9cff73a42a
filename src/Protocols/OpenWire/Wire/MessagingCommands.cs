namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>A producer begins.</summary>
internal sealed class ProducerInfo : Command
{
    public ProducerId? ProducerId;

    /// <summary>Null: each message names its own.</summary>
    public Destination? Destination;
    public BrokerId[]? BrokerPath;
    public bool DispatchAsync;

    /// <summary>Bytes that it may have under way without a ProducerAck; 0: no such limit.</summary>
    public int WindowSize;

    public override DataType Type => DataType.ProducerInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ProducerId);
        fields.Cached(ref Destination);
        fields.Array(ref BrokerPath);
        if (fields.Version >= 2)
        {
            fields.Boolean(ref DispatchAsync);
        }

        if (fields.Version >= 3)
        {
            fields.Int(ref WindowSize);
        }
    }
}

/// <summary>A consumer begins.</summary>
internal sealed class ConsumerInfo : Command
{
    public ConsumerId? ConsumerId;
    public bool Browser;
    public Destination? Destination;
    public int PrefetchSize;
    public int MaximumPendingMessageLimit;
    public bool DispatchAsync;
    public string? Selector;
    public string? ClientId;
    public string? SubscriptionName;
    public bool NoLocal;
    public bool Exclusive;
    public bool Retroactive;
    public byte Priority;
    public BrokerId[]? BrokerPath;
    public NetworkBridgeFilter? AdditionalPredicate;
    public bool NetworkSubscription;
    public bool OptimizedAcknowledge;
    public bool NoRangeAcks;
    public ConsumerId[]? NetworkConsumerPath;

    public override DataType Type => DataType.ConsumerInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConsumerId);
        fields.Boolean(ref Browser);
        fields.Cached(ref Destination);
        fields.Int(ref PrefetchSize);
        fields.Int(ref MaximumPendingMessageLimit);
        fields.Boolean(ref DispatchAsync);
        fields.String(ref Selector);
        if (fields.Version >= 10)
        {
            fields.String(ref ClientId);
        }

        fields.String(ref SubscriptionName);
        fields.Boolean(ref NoLocal);
        fields.Boolean(ref Exclusive);
        fields.Boolean(ref Retroactive);
        fields.Byte(ref Priority);
        fields.Array(ref BrokerPath);
        fields.Nested(ref AdditionalPredicate);
        fields.Boolean(ref NetworkSubscription);
        fields.Boolean(ref OptimizedAcknowledge);
        fields.Boolean(ref NoRangeAcks);
        if (fields.Version >= 4)
        {
            fields.Array(ref NetworkConsumerPath);
        }
    }
}

/// <summary>What a network bridge leaves out; only bridges send it.</summary>
internal sealed class NetworkBridgeFilter : IDataStructure
{
    public int MessageTtl;
    public BrokerId? NetworkBrokerId;
    public int ConsumerTtl;

    public DataType Type => DataType.NetworkBridgeFilter;

    public void Visit(WireFields fields)
    {
        if (fields.Version < 10)
        {
            fields.Int(ref MessageTtl);
            fields.Cached(ref NetworkBrokerId);
            return;
        }

        fields.Cached(ref NetworkBrokerId);
        fields.Int(ref MessageTtl);
        fields.Int(ref ConsumerTtl);
    }
}

/// <summary>A consumer's prefetch changes, or it is closed from the other side.</summary>
internal sealed class ConsumerControl : Command
{
    public Destination? Destination;
    public bool Close;
    public ConsumerId? ConsumerId;
    public int Prefetch;
    public bool Flush;
    public bool Start;
    public bool Stop;

    public override DataType Type => DataType.ConsumerControl;

    protected override void VisitFields(WireFields fields)
    {
        if (fields.Version >= 6)
        {
            fields.Nested(ref Destination);
        }

        fields.Boolean(ref Close);
        fields.Nested(ref ConsumerId);
        fields.Int(ref Prefetch);
        if (fields.Version >= 2)
        {
            fields.Boolean(ref Flush);
            fields.Boolean(ref Start);
            fields.Boolean(ref Stop);
        }
    }
}

/// <summary>A durable subscription ends.</summary>
internal sealed class RemoveSubscriptionInfo : Command
{
    public ConnectionId? ConnectionId;
    public string? SubscriptionName;
    public string? ClientId;

    public override DataType Type => DataType.RemoveSubscriptionInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConnectionId);
        fields.String(ref SubscriptionName);
        fields.String(ref ClientId);
    }
}

/// <summary>A durable subscription, in advisories.</summary>
internal sealed class SubscriptionInfo : IDataStructure
{
    public string? ClientId;
    public Destination? Destination;
    public string? Selector;
    public string? SubscriptionName;
    public Destination? SubscribedDestination;
    public bool NoLocal;

    public DataType Type => DataType.SubscriptionInfo;

    public void Visit(WireFields fields)
    {
        fields.String(ref ClientId);
        fields.Cached(ref Destination);
        fields.String(ref Selector);
        fields.String(ref SubscriptionName);
        if (fields.Version >= 3)
        {
            fields.Nested(ref SubscribedDestination);
        }

        if (fields.Version >= 11)
        {
            fields.Boolean(ref NoLocal);
        }
    }
}

/// <summary>So many bytes of a producer's window are free again.</summary>
internal sealed class ProducerAck : Command
{
    public ProducerId? ProducerId;
    public int Size;

    public override DataType Type => DataType.ProducerAck;

    protected override void VisitFields(WireFields fields)
    {
        fields.Nested(ref ProducerId);
        fields.Int(ref Size);
    }
}

/// <summary>A consumer without prefetch asks for one message.</summary>
internal sealed class MessagePull : Command
{
    public ConsumerId? ConsumerId;
    public Destination? Destination;

    /// <summary>Milliseconds; 0: for ever, -1: not at all.</summary>
    public long TimeoutMs;
    public string? CorrelationId;
    public MessageId? MessageId;

    public override DataType Type => DataType.MessagePull;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConsumerId);
        fields.Cached(ref Destination);
        fields.Long(ref TimeoutMs);
        if (fields.Version >= 3)
        {
            fields.String(ref CorrelationId);
            fields.Nested(ref MessageId);
        }
    }
}

/// <summary>A message to a consumer; without one it says that there is none.</summary>
internal sealed class MessageDispatch : Command
{
    public ConsumerId? ConsumerId;
    public Destination? Destination;
    public Message? Message;
    public int RedeliveryCounter;

    public override DataType Type => DataType.MessageDispatch;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConsumerId);
        fields.Cached(ref Destination);
        fields.Nested(ref Message);
        fields.Int(ref RedeliveryCounter);
    }
}

/// <summary>Between brokers: a message was dispatched elsewhere.</summary>
internal sealed class MessageDispatchNotification : Command
{
    public ConsumerId? ConsumerId;
    public Destination? Destination;
    public long DeliverySequence;
    public MessageId? MessageId;

    public override DataType Type => DataType.MessageDispatchNotification;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConsumerId);
        fields.Cached(ref Destination);
        fields.Long(ref DeliverySequence);
        fields.Nested(ref MessageId);
    }
}

/// <summary>How a client acknowledges.</summary>
internal enum AckType : byte
{
    /// <summary>The client has it and has room for more; not consumed yet.</summary>
    Delivered = 0,

    /// <summary>It cannot be consumed: a dead letter.</summary>
    Poison = 1,

    /// <summary>All from the first to the last are consumed.</summary>
    Standard = 2,

    /// <summary>The client will try it once more.</summary>
    Redelivered = 3,

    /// <summary>This one is consumed.</summary>
    Individual = 4,

    /// <summary>The client's own selector did not take it (topics).</summary>
    Unmatched = 5,

    /// <summary>It expired at the client.</summary>
    Expired = 6,
}

/// <summary>What became of messages.</summary>
internal sealed class MessageAck : Command
{
    public Destination? Destination;
    public ITransactionId? TransactionId;
    public ConsumerId? ConsumerId;
    public byte AckType;
    public MessageId? FirstMessageId;
    public MessageId? LastMessageId;
    public int MessageCount;
    public WireThrowable? PoisonCause;

    public override DataType Type => DataType.MessageAck;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref Destination);
        fields.Cached(ref TransactionId);
        fields.Cached(ref ConsumerId);
        fields.Byte(ref AckType);
        fields.Nested(ref FirstMessageId);
        fields.Nested(ref LastMessageId);
        fields.Int(ref MessageCount);
        if (fields.Version >= 7)
        {
            fields.Throwable(ref PoisonCause);
        }
    }
}
