using System.Buffers;
using Pillarbox.Protocols.Amqp.Routed.LinkRoutes;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>
/// One message on its way from a link of one owner to an outlet of another. The sender's side makes it, hands it over,
/// and takes it back when the other side concludes it; then it is used again. Each field belongs to one side, or is
/// written before the hand-over only. Objects are used again: what crosses late is told by its generation.
/// </summary>
internal class RoutedDelivery
{
    /// <summary>A message up to this stays in the array that the object keeps.</summary>
    public const int KeptBytesMax = 2048;

    private int _finishedGeneration;
    private byte[] _kept = [];

    // ---- the sender's side

    /// <summary>The sender's link, or what stands for it.</summary>
    public required IRoutedSource Source { get; init; }

    /// <summary>The sender's delivery-id.</summary>
    public uint SourceId { get; set; }

    /// <summary>Whether the sender has settled it.</summary>
    public bool IsSettledBySender { get; set; }

    /// <summary>Whether its credit is to be given back at its end.</summary>
    public bool OwesCredit { get; set; }

    /// <summary>Whether it was found unsettled for long.</summary>
    public bool IsStuck { get; set; }

    /// <summary>Pieces that the other side has not written.</summary>
    public int HeldFrames { get; set; }

    /// <summary>The copies that it is one of; null: it is alone.</summary>
    public RoutedCopies? Copies { get; set; }

    public RoutedDelivery? Next { get; set; }

    public RoutedDelivery? Previous { get; set; }

    /// <summary>Which use of this object it is.</summary>
    public int Generation { get; private set; }

    // ---- written before the hand-over

    public Outlet Outlet { get; private set; } = null!;

    /// <summary>What it counts for.</summary>
    public LoadCounter Load { get; private set; } = null!;

    /// <summary>The message, or its first piece.</summary>
    public byte[] Block { get; private set; } = [];

    /// <summary>Bytes of it.</summary>
    public int Length { get; set; }

    /// <summary>Whether that is all of it.</summary>
    public bool IsWhole { get; set; }

    /// <summary>When it began, in milliseconds since the Unix epoch.</summary>
    public long BeganMs { get; set; }

    /// <summary>The router where it entered the network, by its bit in sets of routers, this one 0; -1: not
    /// known.</summary>
    public int Ingress { get; set; }

    /// <summary>Whether its first sender had settled it, however it crosses now.</summary>
    public bool IsPresettled { get; set; }

    /// <summary>Whether it goes out settled.</summary>
    public bool GoesSettled { get; set; }

    public uint? MessageFormat { get; set; }

    /// <summary>What of its transfer crosses as it came; null: nothing, its messages go one by one.</summary>
    public LinkRouteTransfer? Transfer { get; init; }

    // ---- the outlet's side

    /// <summary>Its delivery-id on the way out.</summary>
    public uint SentId { get; set; }

    /// <summary>What the outlet keeps with it.</summary>
    public object? Sink { get; set; }

    /// <summary>Pieces that wait behind the first.</summary>
    public Queue<RoutedPart>? Parts { get; set; }

    /// <summary>The outcome that the receiver stated before the message's end.</summary>
    public byte[]? EarlyState { get; set; }

    /// <summary>Whether something that crossed is about an earlier use of the object. The outlet's side.</summary>
    public bool IsOver(int generation) => generation <= Volatile.Read(ref _finishedGeneration);

    /// <summary>Begins a use of the object. The sender's side.</summary>
    public void Begin(in RouteChoice choice, int bytesMax)
    {
        Generation++;
        Outlet = choice.Outlet!;
        Load = choice.Load!;
        IsSettledBySender = false;
        IsStuck = false;
        Copies = null;
        HeldFrames = 0;
        Sink = null;
        if (bytesMax > KeptBytesMax)
        {
            Block = ArrayPool<byte>.Shared.Rent(bytesMax);
            return;
        }

        if (_kept.Length < bytesMax)
        {
            _kept = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)bytesMax)];
        }

        Block = _kept;
    }

    /// <summary>Its bytes are written: a large array is given back. The outlet's side.</summary>
    public void FreeRented()
    {
        if (Block != _kept)
        {
            ArrayPool<byte>.Shared.Return(Block);
            Block = _kept;
        }

        while (Parts is not null && Parts.TryDequeue(out RoutedPart part))
        {
            ArrayPool<byte>.Shared.Return(part.Bytes);
        }
    }

    /// <summary>
    /// Ends the use of the object on the outlet's side, once: the sender hears of the outcome. Returns the inbox to
    /// wake.
    /// </summary>
    public RoutedInbox Conclude(byte[] state)
    {
        int generation = Generation;
        IRoutedSource source = Source;
        EarlyState = null;
        Load.Remove();
        Volatile.Write(ref _finishedGeneration, generation);
        source.Inbox.Post(new RoutedEvent(RoutedEventKind.ReceiverState, this)
        {
            Generation = generation,
            Bytes = state,
            Flag = true,
        });
        return source.Inbox;
    }
}

/// <summary>The copies of one message for several destinations. The sender's side.</summary>
internal sealed class RoutedCopies
{
    /// <summary>Copies that are not concluded.</summary>
    public int Left { get; set; }

    /// <summary>The highest outcome so far.</summary>
    public byte[] State { get; set; } = RoutedState.Released;
}

/// <summary>Where a routed delivery comes from. Its methods run on the thread that owns the inbox.</summary>
internal interface IRoutedSource
{
    RoutedInbox Inbox { get; }

    /// <summary>The receiver states an outcome; settled: it is the last that is heard of the delivery.</summary>
    void OnReceiverState(RoutedDelivery delivery, byte[] state, bool settled);

    /// <summary>Pieces were written.</summary>
    void OnConsumed(RoutedDelivery delivery, int frames);
}
