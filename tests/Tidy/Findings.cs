using Xunit;

namespace Pillarbox.Tidy.Tests;

internal static class Findings
{
    /// <summary>Fails with one finding a line, so that the whole list can be worked off.</summary>
    public static void None(IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        if (all.Length > 0) Assert.Fail($"{all.Length} found:\n  {string.Join("\n  ", all)}");
    }
}
