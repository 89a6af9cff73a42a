using System.Globalization;
using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>A message that is larger than what the node may hold in memory.</summary>
[Collection(nameof(SharedNode))]
public sealed class HugeMessageTests
{
    private const long MessageBytes = 1L << 30;
    private const long MemoryBytesMax = 320L << 20;

    [Fact]
    public async Task Message_of_a_gibibyte_goes_through_a_node_that_holds_less()
    {
        using var directory = new TemporaryDirectory();
        await using PillarboxProcess node = await PillarboxProcess.StartAsync(directory.File("data"));
        ClientResult result = await ClientProcess.RunAsync(
            Programs.Python, [Programs.Script("proton", "huge.py"), node.AmqpUrl, $"{MessageBytes}"]);
        result.AssertOk();
        Assert.InRange(PeakBytes(node.Id), 1, MemoryBytesMax);
        Assert.Equal(0, await node.StopAsync());
    }

    /// <summary>The most memory that a process has had resident (proc(5): VmHWM).</summary>
    private static long PeakBytes(int process)
    {
        const string Name = "VmHWM:";
        string line = File.ReadLines($"/proc/{process}/status")
            .First(l => l.StartsWith(Name, StringComparison.Ordinal));
        string kibibytes = line[Name.Length..].Replace("kB", "", StringComparison.Ordinal);
        return long.Parse(kibibytes, CultureInfo.InvariantCulture) << 10;
    }
}
