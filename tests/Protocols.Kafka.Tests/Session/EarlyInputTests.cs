using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>What a peer has half said costs its bytes, not one of the transport's blocks.</summary>
public sealed class EarlyInputTests
{
    // ApiVersions, version 0, correlation id 7, no client id.
    private static readonly byte[] Frame = Convert.FromHexString("0000000a0012000000000007ffff");

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(13)]
    public async Task Half_a_frame_before_login_holds_no_block(int length)
    {
        await using var scene = new KafkaScene(new KafkaOptions { AllowAnonymous = false });
        KafkaPeer peer = scene.Connect();
        for (int i = 0; i < length; i++)
        {
            await peer.SendBytesAsync(Frame.AsMemory(i, 1));
            await peer.WaitForNoBlocksAsync();
        }

        await peer.SendBytesAsync(Frame.AsMemory(length));
        ApiVersionsResponse answer = await peer.TakeAsync<ApiVersionsResponse>(0, 7);
        Assert.Equal(0, answer.ErrorCode);
        await peer.WaitForNoBlocksAsync();
    }

    [Fact]
    public async Task A_request_beyond_16_KiB_before_login_ends_the_connection()
    {
        await using var scene = new KafkaScene(new KafkaOptions { AllowAnonymous = false });
        KafkaPeer peer = scene.Connect();
        await peer.SendBytesAsync(Convert.FromHexString("000040010024"));
        await peer.AssertEndedAsync();
    }
}
