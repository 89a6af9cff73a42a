using System.Runtime.InteropServices;

namespace Pillarbox.Load;

/// <summary>
/// The host of a virtual machine makes memory when it is first touched, at some three times the cost of a write into
/// the page cache itself, and takes it back when it lies free. A server that has run for a day has long touched its
/// page cache; one that is measured for seconds would mostly be measured on that. So some memory is touched right
/// before, for each server alike.
/// </summary>
internal static unsafe class WarmMemory
{
    private const long Bytes = 6L << 30;
    private const int PageBytes = 4096;

    /// <summary>Touches memory, at most half of what is available, and gives it back to the system.</summary>
    public static void Touch()
    {
        long bytes = Math.Min(Bytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);
        byte* memory = (byte*)NativeMemory.Alloc((nuint)bytes);
        for (long i = 0; i < bytes; i += PageBytes)
        {
            memory[i] = 1;
        }

        NativeMemory.Free(memory);
    }
}
