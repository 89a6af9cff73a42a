using System.Globalization;

namespace Pillarbox.Protocols.Mqtt.Tests;

/// <summary>Seeds: a new one each time, printed, or the one in <c>PILLARBOX_SEED</c>.</summary>
internal static class Seeds
{
    public static int Next()
    {
        string? given = Environment.GetEnvironmentVariable("PILLARBOX_SEED");
        int seed = given is null ? Random.Shared.Next() : int.Parse(given, CultureInfo.InvariantCulture);
        TestContext.Current.SendDiagnosticMessage($"PILLARBOX_SEED={seed}");
        return seed;
    }
}
