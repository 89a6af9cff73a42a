using Xunit;

namespace Pillarbox.Interop.Tests.OpenWire;

/// <summary>The sample of the airline, run as its README says; the steps at which something can be in doubt.</summary>
public sealed class AirlineTests
{
    [Theory]
    [InlineData("program")]
    [InlineData("database")]
    [InlineData("node")]
    public async Task Both_or_neither_whoever_is_killed(string victim)
    {
        string sample = Path.Combine(Programs.Root, "samples", "airline", "run.sh");
        string[] arguments =
            [$"AIRLINE_VICTIMS={victim}", "AIRLINE_STEPS=2 3 4 5", $"PILLARBOX_BINARY={Programs.Pillarbox}", sample];
        (await ClientProcess.RunAsync("env", arguments)).AssertOk();
    }
}
