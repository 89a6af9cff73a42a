namespace Pillarbox.Broker.Journal;

/// <summary>What the journal's records are. Values are on disk and never change their meaning.</summary>
internal static class RecordKind
{
    public const byte AddressCreated = 1;
    public const byte AddressDeleted = 2;
    public const byte QueueCreated = 3;
    public const byte QueueDeleted = 4;
    public const byte QueuePaused = 5;
    public const byte QueueExpiry = 6;
    public const byte QueueBound = 7;
    public const byte QueueUnbound = 8;
    public const byte Message = 10;
    public const byte Settled = 11;
    public const byte AttemptFailed = 12;
    public const byte Relocated = 13;
    public const byte RecordSettled = 14;
    public const byte QueueMoved = 15;
    public const byte XaPrepared = 20;
    public const byte XaEnded = 21;
    public const byte XaForgotten = 22;
    public const byte Annotated = 30;
}
