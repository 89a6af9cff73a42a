using System.Globalization;

namespace Pillarbox.Router.Tests;

/// <summary>
/// Seeds: new ones each time, or those from <c>PILLARBOX_SEED</c> on. <c>PILLARBOX_SEEDS</c> says how many.
/// </summary>
internal static class Seeds
{
    public static (int First, int Count) Range(int perRun)
    {
        string? first = Environment.GetEnvironmentVariable("PILLARBOX_SEED");
        string? count = Environment.GetEnvironmentVariable("PILLARBOX_SEEDS");
        int many = count is not null ? int.Parse(count, CultureInfo.InvariantCulture) : first is null ? perRun : 1;
        return (first is null ? Random.Shared.Next(1 << 30) : int.Parse(first, CultureInfo.InvariantCulture), many);
    }

    public static int Next() => Range(1).First;
}
