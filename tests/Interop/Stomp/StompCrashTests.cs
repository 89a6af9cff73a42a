using Xunit;

namespace Pillarbox.Interop.Tests.Stomp;

/// <summary>
/// The program is killed under load, again and again, while stomp.py sends and consumes: nothing that has a receipt is
/// lost, no transaction is torn, and nothing comes again whose acknowledgement has a receipt.
/// </summary>
public sealed class StompCrashTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_receipt_holds_when_the_program_is_killed()
    {
        using var loop = new CrashLoop("stomp", output);
        await loop.RunAsync(12, 300, 1500, (host, port, stopFile) => Task.FromResult(ClientProcess.Start(
            Programs.Python, [Programs.Script("Stomp", "stomp-py", "crash.py"), host, port, stopFile])));
    }
}
