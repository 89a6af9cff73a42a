using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Session;

/// <summary>Tenants: streams, groups and transactions of one are nothing to another.</summary>
public sealed class AddressSpaceTests
{
    private static readonly KafkaOptions MustLogIn = new() { AllowAnonymous = false };

    [Fact]
    public async Task Each_address_space_has_its_own_topics_groups_and_transactions()
    {
        await using var scene = new KafkaScene(MustLogIn, spaces: ["blue"]);
        KafkaPeer red = await scene.ConnectAsync("red");
        KafkaPeer blue = await scene.ConnectAsync("blue", addressSpace: "blue");
        await red.CreateTopicAsync("t");
        await blue.CreateTopicAsync("t");
        await CommitAsync(red, 7);
        await CommitAsync(blue, 3);
        Assert.Equal(7, await CommittedAsync(red));
        Assert.Equal(3, await CommittedAsync(blue));
        InitProducerIdResponse first = await InitAsync(red);
        InitProducerIdResponse other = await InitAsync(blue);
        Assert.Equal((0, 0), (first.ProducerEpoch, other.ProducerEpoch));
        Assert.Equal(1, (await InitAsync(red)).ProducerEpoch);
    }

    [Fact]
    public async Task Groups_of_every_address_space_are_there_after_a_restart()
    {
        var files = new Storage.MemoryFileSystem();
        await using (var before = new KafkaScene(MustLogIn, files: files, spaces: ["blue"]))
        {
            KafkaPeer blue = await before.ConnectAsync("blue", addressSpace: "blue");
            await blue.CreateTopicAsync("t");
            await CommitAsync(blue, 3);
        }

        await using var after = new KafkaScene(MustLogIn, files: files, spaces: ["blue"]);
        KafkaPeer again = after.Connect();
        await again.LogInAsync("blue");
        Assert.Equal(3, await CommittedAsync(again));
    }

    [Fact]
    public async Task Who_may_not_enter_the_listeners_address_space_cannot_log_in()
    {
        await using var scene = new KafkaScene(
            MustLogIn with { AddressSpace = "blue", IsAddressSpaceFixed = true }, spaces: ["blue", "green"]);
        scene.Users.Add("gabi", new Broker.Security.Secret("secret"), [], addressSpace: "green");
        KafkaPeer peer = scene.Connect();
        SaslAuthenticateResponse answer = await peer.LogInAsync("gabi");
        Assert.Equal((short)ErrorCode.SaslAuthenticationFailed, answer.ErrorCode);
        await peer.AssertEndedAsync();
        KafkaPeer everywhere = await scene.ConnectAsync("ben");
        await everywhere.CreateTopicAsync("t");
        Assert.NotNull(scene.Broker.StreamsOf("blue")!.Find("t"));
    }

    private static async Task CommitAsync(KafkaPeer peer, long offset)
    {
        OffsetCommitResponse done = await peer.AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new()
            {
                GroupId = "g",
                GenerationIdOrMemberEpoch = -1,
                Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = offset }] }],
            },
            7);
        Assert.Equal(0, done.Topics[0].Partitions[0].ErrorCode);
    }

    private static async Task<long> CommittedAsync(KafkaPeer peer)
    {
        OffsetFetchResponse got = await peer.AskAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] }, 5);
        return got.Topics[0].Partitions[0].CommittedOffset;
    }

    private static Task<InitProducerIdResponse> InitAsync(KafkaPeer peer) =>
        peer.AskAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new() { TransactionalId = "x", TransactionTimeoutMs = 1000 }, 2);
}
