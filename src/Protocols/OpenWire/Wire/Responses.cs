namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>The command with this number is done.</summary>
internal class Response : Command
{
    public int CorrelationId;

    public override DataType Type => DataType.Response;

    protected override void VisitFields(WireFields fields) => fields.Int(ref CorrelationId);
}

/// <summary>It failed.</summary>
internal sealed class ExceptionResponse : Response
{
    public WireThrowable? Exception;

    public override DataType Type => DataType.ExceptionResponse;

    protected override void VisitFields(WireFields fields)
    {
        base.VisitFields(fields);
        fields.Throwable(ref Exception);
    }
}

/// <summary>It is done and this came of it.</summary>
internal sealed class DataResponse : Response
{
    public IDataStructure? Data;

    public override DataType Type => DataType.DataResponse;

    protected override void VisitFields(WireFields fields)
    {
        base.VisitFields(fields);
        fields.Nested(ref Data);
    }
}

/// <summary>It is done and these came of it.</summary>
internal sealed class DataArrayResponse : Response
{
    public IDataStructure[]? Data;

    public override DataType Type => DataType.DataArrayResponse;

    protected override void VisitFields(WireFields fields)
    {
        base.VisitFields(fields);
        fields.Array(ref Data);
    }
}

/// <summary>It is done with this number.</summary>
internal sealed class IntegerResponse : Response
{
    public int Result;

    public override DataType Type => DataType.IntegerResponse;

    protected override void VisitFields(WireFields fields)
    {
        base.VisitFields(fields);
        fields.Int(ref Result);
    }
}

/// <summary>What a transaction shall do.</summary>
internal enum TransactionStep : byte
{
    Begin = 0,
    Prepare = 1,
    CommitOnePhase = 2,
    CommitTwoPhase = 3,
    Rollback = 4,
    Recover = 5,
    Forget = 6,
    End = 7,
}

/// <summary>A step of a transaction.</summary>
internal sealed class TransactionInfo : Command
{
    public ConnectionId? ConnectionId;
    public ITransactionId? TransactionId;
    public byte Step;

    public override DataType Type => DataType.TransactionInfo;

    protected override void VisitFields(WireFields fields)
    {
        fields.Cached(ref ConnectionId);
        fields.Cached(ref TransactionId);
        fields.Byte(ref Step);
    }
}
