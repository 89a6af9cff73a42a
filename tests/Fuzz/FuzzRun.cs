using System.Diagnostics;

namespace Pillarbox.Fuzz;

/// <summary>Feeds a target with inputs of consecutive seeds, and bounds time and memory of each.</summary>
internal sealed class FuzzRun(IFuzzTarget target)
{
    /// <summary>One input may allocate what its target says, and this much more for each of its bytes.</summary>
    private const long AllocatedBytesPerByteMax = 256;

    /// <summary>One input may take this long.</summary>
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(2);

    /// <summary>False: something escaped, and was printed.</summary>
    public bool Run(long count, int seed)
    {
        for (long i = 0; i < count; i++)
        {
            int inputSeed = unchecked(seed + (int)i);
            byte[] input = target.Make(new Random(inputSeed));
            if (Try(input) is { } finding)
            {
                Console.WriteLine($"FAILED at input {i}, --seed {inputSeed} --count 1: {finding}");
                Console.WriteLine(Convert.ToHexStringLower(input));
                return false;
            }
        }
        return true;
    }

    private string? Try(byte[] input)
    {
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        try
        {
            target.Take(input);
        }
        catch (Exception escaped)
        {
            return escaped.ToString();
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        long allowed = target.AllocatedBytesMax + (AllocatedBytesPerByteMax * input.Length);
        if (allocated > allowed)
        {
            return $"{allocated} bytes allocated, the limit is {allowed}";
        }
        TimeSpan taken = Stopwatch.GetElapsedTime(started);
        return taken > TimeMax ? $"it took {taken}" : null;
    }
}
