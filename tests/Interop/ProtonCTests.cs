using Xunit;

namespace Pillarbox.Interop.Tests;

/// <summary>A C client on libqpid-proton: number, order and contents of durable messages.</summary>
[Collection(nameof(SharedNode))]
public sealed class ProtonCTests(SharedNode shared)
{
    [Theory]
    [InlineData(20_000, 100)]
    [InlineData(2_000, 10_000)]
    [InlineData(50, 1_000_000)]
    [InlineData(1, 100_000_000)]
    public async Task Messages_come_out_as_they_went_in(int count, int bytes)
    {
        string queue = $"c.{Guid.NewGuid():N}";
        (await RunAsync(queue, "send", count, bytes)).AssertOk();
        (await RunAsync(queue, "receive", count, bytes)).AssertOk();
        shared.AssertAlive();
    }

    [Fact]
    public async Task Sender_and_receiver_at_once()
    {
        string queue = $"c.{Guid.NewGuid():N}";
        Task<ClientResult> receiving = RunAsync(queue, "receive", 20_000, 1_000);
        (await RunAsync(queue, "send", 20_000, 1_000)).AssertOk();
        (await receiving).AssertOk();
        shared.AssertAlive();
    }

    private async Task<ClientResult> RunAsync(string queue, string what, int count, int bytes)
    {
        string program = await Programs.CClient.Value;
        string[] arguments = [shared.Node.AmqpHost, shared.Node.AmqpPort, queue, what, $"{count}", $"{bytes}"];
        return await ClientProcess.RunAsync(program, arguments);
    }
}
