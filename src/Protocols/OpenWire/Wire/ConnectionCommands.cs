namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>KeepAliveInfo, ShutdownInfo and FlushCommand: nothing but their type.</summary>
internal sealed class PlainCommand(DataType type) : Command
{
    public override DataType Type { get; } = type;

    protected override void VisitFields(WireFields fields)
    {
    }
}

/// <summary>A client introduces itself and logs in.</summary>
internal sealed class ConnectionInfo : Command
{
    public ConnectionId? ConnectionId;
    public string? ClientId;
    public string? Password;
    public string? UserName;
    public BrokerId[]? BrokerPath;
    public bool BrokerMasterConnector;
    public bool Manageable;
    public bool ClientMaster;
    public bool FaultTolerant;
    public bool FailoverReconnect;
    public string? ClientIp;

    public override DataType Type => DataType.ConnectionInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConnectionId);
        fields.String(ref ClientId);
        fields.String(ref Password);
        fields.String(ref UserName);
        fields.Array(ref BrokerPath);
        fields.Boolean(ref BrokerMasterConnector);
        fields.Boolean(ref Manageable);
        if (fields.Version >= 2)
        {
            fields.Boolean(ref ClientMaster);
        }

        if (fields.Version >= 6)
        {
            fields.Boolean(ref FaultTolerant);
            fields.Boolean(ref FailoverReconnect);
        }

        if (fields.Version >= 8)
        {
            fields.String(ref ClientIp);
        }
    }
}

/// <summary>A broker introduces itself.</summary>
internal sealed class BrokerInfo : Command
{
    public BrokerId? BrokerId;
    public string? BrokerUrl;
    public BrokerInfo[]? PeerBrokers;
    public string? BrokerName;
    public bool SlaveBroker;
    public bool MasterBroker;
    public bool FaultTolerantConfiguration;
    public bool DuplexConnection;
    public bool NetworkConnection;
    public long ConnectionId;
    public string? BrokerUploadUrl;
    public string? NetworkProperties;

    public override DataType Type => DataType.BrokerInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref BrokerId);
        fields.String(ref BrokerUrl);
        fields.Array(ref PeerBrokers);
        fields.String(ref BrokerName);
        fields.Boolean(ref SlaveBroker);
        fields.Boolean(ref MasterBroker);
        fields.Boolean(ref FaultTolerantConfiguration);
        if (fields.Version >= 2)
        {
            fields.Boolean(ref DuplexConnection);
            fields.Boolean(ref NetworkConnection);
            fields.Long(ref ConnectionId);
        }

        if (fields.Version >= 3)
        {
            fields.String(ref BrokerUploadUrl);
            fields.String(ref NetworkProperties);
        }
    }
}

/// <summary>The durable subscriptions of a broker, told over a network bridge.</summary>
internal sealed class BrokerSubscriptionInfo : Command
{
    public BrokerId? BrokerId;
    public string? BrokerName;
    public ConsumerInfo[]? Subscriptions;

    public override DataType Type => DataType.BrokerSubscriptionInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Nested(ref BrokerId);
        fields.String(ref BrokerName);
        fields.Array(ref Subscriptions);
    }
}

/// <summary>What a connection shall do; from the node it tells the list of nodes.</summary>
internal sealed class ConnectionControl : Command
{
    public bool Close;
    public bool Exit;
    public bool FaultTolerant;
    public bool Resume;
    public bool Suspend;
    public string? ConnectedBrokers;
    public string? ReconnectTo;
    public bool RebalanceConnection;
    public ReadOnlyMemory<byte>? Token;

    public override DataType Type => DataType.ConnectionControl;

    protected override void VisitFields(WireFields fields)
    {
        fields.Boolean(ref Close);
        fields.Boolean(ref Exit);
        fields.Boolean(ref FaultTolerant);
        fields.Boolean(ref Resume);
        fields.Boolean(ref Suspend);
        if (fields.Version >= 6)
        {
            fields.String(ref ConnectedBrokers);
            fields.String(ref ReconnectTo);
            fields.Boolean(ref RebalanceConnection);
        }

        if (fields.Version >= 8)
        {
            fields.Bytes(ref Token);
        }
    }
}

/// <summary>Something went wrong that answers no command.</summary>
internal sealed class ConnectionError : Command
{
    public WireThrowable? Exception;
    public ConnectionId? ConnectionId;

    public override DataType Type => DataType.ConnectionError;

    protected override void VisitFields(WireFields fields)
    {
        fields.Throwable(ref Exception);
        fields.Nested(ref ConnectionId);
    }
}

/// <summary>A word for the other side's operator.</summary>
internal sealed class ControlCommand : Command
{
    public string? Text;

    public override DataType Type => DataType.ControlCommand;

    protected override void VisitFields(WireFields fields) => fields.String(ref Text);
}

/// <summary>A session begins.</summary>
internal sealed class SessionInfo : Command
{
    public SessionId? SessionId;

    public override DataType Type => DataType.SessionInfo;

    protected override void VisitFields(WireFields fields) => fields.Cached(ref SessionId);
}

/// <summary>A connection, session, consumer or producer ends.</summary>
internal sealed class RemoveInfo : Command
{
    /// <summary>Nothing is known of what the application has seen.</summary>
    public const long LastDeliveredUnknown = 0;

    public IDataStructure? ObjectId;

    /// <summary>The node's number of the last message that the application has seen; -1: none.</summary>
    public long LastDeliveredSequence;

    public override DataType Type => DataType.RemoveInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ObjectId);
        if (fields.Version >= 5)
        {
            fields.Long(ref LastDeliveredSequence);
        }
    }
}

/// <summary>A destination is made or removed.</summary>
internal sealed class DestinationInfo : Command
{
    public const byte Add = 0;
    public const byte Remove = 1;

    public ConnectionId? ConnectionId;
    public Destination? Destination;
    public byte Operation;
    public long TimeoutMs;
    public BrokerId[]? BrokerPath;

    public override DataType Type => DataType.DestinationInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConnectionId);
        fields.Cached(ref Destination);
        fields.Byte(ref Operation);
        fields.Long(ref TimeoutMs);
        fields.Array(ref BrokerPath);
    }
}
