namespace Pillarbox.Fuzz;

/// <summary>Something that takes bytes from outside. One instance lives for a whole run.</summary>
internal interface IFuzzTarget
{
    /// <summary>Makes the next input: what the grammar allows, mostly broken afterwards.</summary>
    byte[] Make(Random random);

    /// <summary>Bytes that one input may allocate, beside a number for each of its bytes.</summary>
    long AllocatedBytesMax => 1 << 20;

    /// <summary>Takes one input. What it throws has escaped: it is the finding.</summary>
    void Take(byte[] input);
}
