namespace Pillarbox.Protocols.Kafka.Wire.Messages;

/// <summary>The request of ListTransactions, API key 66.</summary>
[KafkaMessage(ApiKey.ListTransactions, "0-2", "0+")]
internal sealed partial class ListTransactionsRequest
{
    [Field("0+")] public string[] StateFilters { get; set; } = [];
    [Field("0+")] public long[] ProducerIdFilters { get; set; } = [];
    [Field("1+")] public long DurationFilter { get; set; } = -1;
    [Field("2+", Nullable = "2+")] public string? TransactionalIdPattern { get; set; }
}

/// <summary>The answer of ListTransactions, API key 66.</summary>
[KafkaMessage(ApiKey.ListTransactions, "0-2", "0+")]
internal sealed partial class ListTransactionsResponse
{
    [Field("0+")] public int ThrottleTimeMs { get; set; }
    [Field("0+")] public short ErrorCode { get; set; }
    [Field("0+")] public string[] UnknownStateFilters { get; set; } = [];
    [Field("0+")] public TransactionStateEntry[] TransactionStates { get; set; } = [];

    public sealed partial class TransactionStateEntry
    {
        [Field("0+")] public string TransactionalId { get; set; } = "";
        [Field("0+")] public long ProducerId { get; set; }
        [Field("0+")] public string TransactionState { get; set; } = "";
    }
}
