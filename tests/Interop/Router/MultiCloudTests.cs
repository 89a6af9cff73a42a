using Xunit;

namespace Pillarbox.Interop.Tests.Router;

/// <summary>The sample of the clouds, run as its README says: in network namespaces where that is permitted, and as
/// processes behind relays.</summary>
public sealed class MultiCloudTests
{
    [Theory]
    [InlineData("")]
    [InlineData("1")]
    public async Task Nothing_is_lost_when_a_site_is_cut_off_and_comes_back(string withoutNamespaces)
    {
        string sample = Path.Combine(Programs.Root, "samples", "multicloud", "run.sh");
        string[] arguments =
            [$"MULTICLOUD_WITHOUT_NAMESPACES={withoutNamespaces}", $"PILLARBOX_BINARY={Programs.Pillarbox}", sample];
        (await ClientProcess.RunAsync("env", arguments)).AssertOk();
    }
}
