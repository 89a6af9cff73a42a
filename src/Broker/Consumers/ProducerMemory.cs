namespace Pillarbox.Broker.Consumers;

/// <summary>
/// What the node knows of one producer that numbers its messages: the highest number that is in the journal. It
/// outlives the connection and the node, so that what the producer sends again after either is known. One connection at
/// a time publishes for it.
/// </summary>
public sealed class ProducerMemory
{
    private long _last = long.MinValue;

    internal ProducerMemory(UInt128 key) => Key = key;

    /// <summary>A digest of the producer's name and its owner.</summary>
    internal UInt128 Key { get; }

    /// <summary>The highest number in the journal; the lowest number there is: none is. Any thread.</summary>
    public long Last => Volatile.Read(ref _last);

    /// <summary>Those that publish for it now; the table's, under its lock.</summary>
    internal int Users { get; set; }

    /// <summary>Whether a message is in the journal. Not whether that is on disk: <see cref="BrokerClient.Repeat"/>
    /// waits for it.</summary>
    public bool Has(long number) => number <= Last;

    /// <summary>A message with this number is in the journal.</summary>
    internal void Advance(long number)
    {
        if (number > Last)
        {
            Volatile.Write(ref _last, number);
        }
    }
}
