namespace Pillarbox.ConsoleApi;

/// <summary>Times that peers may have written, for the API: any number is some time.</summary>
internal static class Moments
{
    private static readonly long LatestMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Milliseconds since the Unix epoch; what is before it, or behind the year 9999, is the nearest
    /// there is.</summary>
    public static DateTimeOffset Of(long milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, 0, LatestMs));
}
