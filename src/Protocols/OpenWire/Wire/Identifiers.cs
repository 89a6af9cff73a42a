namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>A connection, as its client named it.</summary>
internal sealed record ConnectionId : IDataStructure
{
    public string? Value;

    public DataType Type => DataType.ConnectionId;

    public void Visit(WireFields fields) => fields.String(ref Value);
}

/// <summary>A session of a connection.</summary>
internal sealed record SessionId : IDataStructure
{
    public string? Connection;
    public long Value;

    public DataType Type => DataType.SessionId;

    public void Visit(WireFields fields)
    {
        fields.String(ref Connection);
        fields.Long(ref Value);
    }
}

/// <summary>A consumer of a session.</summary>
internal sealed record ConsumerId : IDataStructure
{
    public string? Connection;
    public long Session;
    public long Value;

    public DataType Type => DataType.ConsumerId;

    public void Visit(WireFields fields)
    {
        fields.String(ref Connection);
        fields.Long(ref Session);
        fields.Long(ref Value);
    }

    public override string ToString() => $"{Connection}:{Session}:{Value}";
}

/// <summary>A producer of a session. Its value stands before its session on the wire.</summary>
internal sealed record ProducerId : IDataStructure
{
    public string? Connection;
    public long Value;
    public long Session;

    public DataType Type => DataType.ProducerId;

    public void Visit(WireFields fields)
    {
        fields.String(ref Connection);
        fields.Long(ref Value);
        fields.Long(ref Session);
    }

    public override string ToString() => $"{Connection}:{Session}:{Value}";
}

/// <summary>A broker.</summary>
internal sealed record BrokerId : IDataStructure
{
    public string? Value;

    public DataType Type => DataType.BrokerId;

    public void Visit(WireFields fields) => fields.String(ref Value);
}

/// <summary>A message: its producer and the producer's number for it.</summary>
internal sealed record MessageId : IDataStructure
{
    /// <summary>Another protocol's id; then the producer is the node.</summary>
    public string? TextView;
    public ProducerId? Producer;
    public long ProducerSequence;

    /// <summary>The node's number for it; clients send it back when they acknowledge.</summary>
    public long BrokerSequence;

    public DataType Type => DataType.MessageId;

    public void Visit(WireFields fields)
    {
        if (fields.Version >= 10)
        {
            fields.String(ref TextView);
        }

        fields.Cached(ref Producer);
        fields.Long(ref ProducerSequence);
        fields.Long(ref BrokerSequence);
    }

    /// <summary>Whether both name one message; the broker's number is not part of that.</summary>
    public bool Names(MessageId other) => ProducerSequence == other.ProducerSequence && Producer == other.Producer;

    public override string ToString() =>
        TextView ?? (Producer is null ? "" : $"{Producer}:{ProducerSequence}");
}

/// <summary>A transaction, local or distributed.</summary>
internal interface ITransactionId : IDataStructure;

/// <summary>A transaction of one connection.</summary>
internal sealed record LocalTransactionId : ITransactionId
{
    public long Value;
    public ConnectionId? Connection;

    public DataType Type => DataType.LocalTransactionId;

    public void Visit(WireFields fields)
    {
        fields.Long(ref Value);
        fields.Cached(ref Connection);
    }
}

/// <summary>A branch of a distributed transaction (X/Open XA's XID).</summary>
internal sealed record XaTransactionId : ITransactionId
{
    public int FormatId;
    public ReadOnlyMemory<byte>? GlobalTransactionId;
    public ReadOnlyMemory<byte>? BranchQualifier;

    public DataType Type => DataType.XaTransactionId;

    public void Visit(WireFields fields)
    {
        fields.Int(ref FormatId);
        fields.Bytes(ref GlobalTransactionId);
        fields.Bytes(ref BranchQualifier);
        // Kept in the cache beyond the frame that they are slices of.
        GlobalTransactionId = GlobalTransactionId?.ToArray();
        BranchQualifier = BranchQualifier?.ToArray();
    }

    public bool Equals(XaTransactionId? other) => other is not null && FormatId == other.FormatId
        && Span(GlobalTransactionId).SequenceEqual(Span(other.GlobalTransactionId))
        && Span(BranchQualifier).SequenceEqual(Span(other.BranchQualifier));

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(FormatId);
        hash.AddBytes(Span(GlobalTransactionId));
        hash.AddBytes(Span(BranchQualifier));
        return hash.ToHashCode();
    }

    private static ReadOnlySpan<byte> Span(ReadOnlyMemory<byte>? bytes) => (bytes ?? default).Span;
}

/// <summary>A queue or a topic, also a temporary one.</summary>
internal sealed record Destination(DataType Kind) : IDataStructure
{
    public string? PhysicalName;

    public DataType Type => Kind;

    public bool IsTopic => Kind is DataType.Topic or DataType.TempTopic;

    public bool IsTemporary => Kind is DataType.TempQueue or DataType.TempTopic;

    public static Destination Queue(string name) => new(DataType.Queue) { PhysicalName = name };

    public static Destination Topic(string name) => new(DataType.Topic) { PhysicalName = name };

    public void Visit(WireFields fields) => fields.String(ref PhysicalName);

    public override string ToString() => Kind switch
    {
        DataType.Queue => "queue://",
        DataType.Topic => "topic://",
        DataType.TempQueue => "temp-queue://",
        _ => "temp-topic://",
    } + PhysicalName;
}
