namespace Pillarbox.Server.Cli;

/// <summary>The monotonic clock of the command line's clients, in nanoseconds.</summary>
internal static class Clock
{
    private static readonly double NanosecondsPerTick = 1e9 / TimeProvider.System.TimestampFrequency;

    public static long Now => (long)(TimeProvider.System.GetTimestamp() * NanosecondsPerTick);
}
