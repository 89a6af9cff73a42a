using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Pillarbox.Load.Peers;

namespace Pillarbox.Load;

/// <summary>What the disk itself takes to make 4 KiB durable: write and fdatasync, one each millisecond, as in the row
/// that it stands beside: at this pace both processors and the disk sleep in between, which costs.</summary>
internal static partial class DiskProbe
{
    private const int BlockBytes = 4096;
    private const int Blocks = 500;

    /// <summary>Microseconds of each of some writes.</summary>
    public static double[] Sample()
    {
        string folder = PeerProcess.NewFolder("disk");
        try
        {
            return Measure(Path.Combine(folder, "probe"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What the samples say.</summary>
    public static void Report(double[] timesUs, Dictionary<string, double> figures)
    {
        Array.Sort(timesUs);
        figures[Figure.DiskP50Us] = timesUs[timesUs.Length / 2];
        figures[Figure.DiskP99Us] = timesUs[timesUs.Length * 99 / 100];
    }

    private static double[] Measure(string path)
    {
        byte[] block = new byte[BlockBytes];
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);

        // Written once before, so that no block is allocated in the measured part.
        for (int i = 0; i < Blocks; i++)
        {
            RandomAccess.Write(file, block, (long)i * BlockBytes);
        }
        RandomAccess.FlushToDisk(file);
        double[] timesUs = new double[Blocks];
        for (int i = 0; i < Blocks; i++)
        {
            block[0] = (byte)i;
            Thread.Sleep(1);
            long start = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, block, (long)i * BlockBytes);
            if (SyncData((int)file.DangerousGetHandle()) != 0)
            {
                throw new IOException($"fdatasync failed with error {Marshal.GetLastPInvokeError()}");
            }
            timesUs[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        return timesUs;
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int SyncData(int descriptor);
}
