using Pillarbox.Broker.Security;
using Pillarbox.Broker.Streams;
using Pillarbox.Broker.Streams.Groups;
using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Model;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>Consumers that read a stream as members of a consumer group, whose offsets their acknowledgements
/// move.</summary>
public sealed class StreamGroupTests
{
    private const long InDoubt = -10;
    private const string Group = "g";

    private static readonly Destination Log = Destination.Queue("log");
    private static readonly Destination OfGroup = Destination.Topic("log/ConsumerGroups/g");

    [Fact]
    public void A_group_goes_on_behind_what_was_acknowledged()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Filled(scene);
        List<MessageDispatch> got = Read(scene, peer, OfGroup);
        Assert.Equal([1, 2, 3], got.Select(NumberOf));
        peer.Send(OpenWireSteps.Ack(got[0]), asks: false);
        peer.Send(OpenWireSteps.Ack(got[1]), asks: false);
        Run(scene, 5);
        Assert.Equal(2, Committed(scene));
        Good(peer.Ask(new RemoveInfo { ObjectId = got[0].ConsumerId }));
        Run(scene, 5);

        List<MessageDispatch> again = Read(scene, peer, OfGroup);
        Assert.Equal([3], again.Select(NumberOf));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_local_transaction_moves_the_offset_when_it_commits(bool isCommit)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Filled(scene);
        var id = new LocalTransactionId { Value = 1, Connection = OpenWireSteps.ConnectionId };
        List<MessageDispatch> got = Read(scene, peer, OfGroup);
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        Acknowledge(peer, id, got[0], got[1]);
        Good(peer.Ask(OpenWireSteps.Transaction(
            id, isCommit ? TransactionStep.CommitOnePhase : TransactionStep.Rollback)));
        Assert.Equal(isCommit ? 2 : 0, Committed(scene));
    }

    /// <summary>The offset is in doubt from the preparation on, until the branch ends from whichever connection.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_branch_holds_the_offset_until_it_ends(bool isCommit)
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Filled(scene);
        XaTransactionId id = Branch();
        List<MessageDispatch> got = Read(scene, peer, OfGroup);
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        Acknowledge(peer, id, got[0], got[1]);
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.End)));
        var prepared = Assert.IsType<IntegerResponse>(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Prepare)));
        Assert.Equal(0, prepared.Result);
        Assert.Equal(InDoubt, Committed(scene));
        peer.Cut();
        Run(scene, 3);

        OpenWirePeer other = scene.InSession();
        Good(other.Ask(OpenWireSteps.Transaction(
            id, isCommit ? TransactionStep.CommitTwoPhase : TransactionStep.Rollback)));
        Assert.Equal(isCommit ? 2 : 0, Committed(scene));
        Run(scene, 100);
        Assert.Equal(isCommit ? [3] : [1, 2, 3], Read(scene, other, OfGroup).Select(NumberOf));
    }

    [Fact]
    public void A_branch_behind_a_record_that_is_not_acknowledged_is_rolled_back()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Filled(scene);
        XaTransactionId id = Branch();
        List<MessageDispatch> got = Read(scene, peer, OfGroup);
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Begin)));
        MessageAck ack = OpenWireSteps.Ack(got[1], AckType.Individual);
        ack.TransactionId = id;
        peer.Send(ack, asks: false);
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.End)));
        Response refused = peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.Prepare));
        WireThrowable why = Assert.IsType<ExceptionResponse>(refused).Exception!;
        Assert.Equal(ThrowableNames.Xa, why.ClassName);
        Assert.Contains("xaErrorCode:100", why.Message);
        Assert.Equal(0, Committed(scene));
    }

    [Fact]
    public void One_partition_can_be_named_and_no_group_too()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = Filled(scene);
        Assert.Equal(3, Read(scene, peer, Destination.Topic("log/ConsumerGroups/$Default"), 2).Count);
        Assert.Equal(3, Read(scene, peer, Destination.Topic("log/ConsumerGroups/h/Partitions/0"), 3).Count);
        Response refused = peer.Ask(Consumer(Destination.Topic("log/ConsumerGroups/h/Partitions/x"), 4));
        Assert.Equal(
            ThrowableNames.InvalidDestination, Assert.IsType<ExceptionResponse>(refused).Exception!.ClassName);
        Assert.IsType<ExceptionResponse>(peer.Ask(Consumer(Destination.Topic("log/ConsumerGroups/h/Partitions/7"), 5)));
    }

    private static OpenWirePeer Filled(OpenWireScene scene)
    {
        Grant grant = scene.Broker.Authorizer.Authorize(
            Identity.Node, Permission.CreateAddress, "default", new AddressName("log", null));
        scene.Broker.Streams.Create(grant, new StreamSpec { Name = "log", Partitions = 1 });
        OpenWirePeer peer = scene.InSession();
        for (int i = 1; i <= 3; i++)
        {
            Good(peer.Ask(OpenWireSteps.Text(Log, i)));
        }

        return peer;
    }

    private static List<MessageDispatch> Read(
        OpenWireScene scene, OpenWirePeer peer, Destination destination, int consumer = 1)
    {
        peer.Received.Clear();
        Good(peer.Ask(Consumer(destination, consumer)));
        Run(scene, 20);
        return [.. peer.Received.OfType<MessageDispatch>()];
    }

    private static ConsumerInfo Consumer(Destination destination, int number)
    {
        ConsumerInfo info = OpenWireSteps.Consumer(destination);
        info.ConsumerId = OpenWireSteps.ConsumerId with { Value = number };
        info.Retroactive = true;
        return info;
    }

    private static void Acknowledge(OpenWirePeer peer, ITransactionId id, params MessageDispatch[] dispatches)
    {
        foreach (MessageDispatch dispatch in dispatches)
        {
            MessageAck ack = OpenWireSteps.Ack(dispatch);
            ack.TransactionId = id;
            peer.Send(ack, asks: false);
        }
    }

    private static XaTransactionId Branch() => new()
    {
        FormatId = 1,
        GlobalTransactionId = "global"u8.ToArray(),
        BranchQualifier = "branch"u8.ToArray(),
    };

    private static long NumberOf(MessageDispatch dispatch) => dispatch.Message!.Content!.Value.Span[4] - (byte)'a';

    private static void Run(OpenWireScene scene, int rounds)
    {
        for (int i = 0; i < rounds; i++)
        {
            scene.Advance(600);
        }
    }

    // What the group has committed; or that it is in doubt.
    private static long Committed(OpenWireScene scene)
    {
        long committed = -2;
        scene.Broker.Coordinators.Groups.FetchOffsets(
            new OffsetFetchRequest
            {
                Member = new GroupMemberRef(Group, -1, "", null),
                Partitions = [new TopicPartition("log", 0)],
                RequireStable = true,
            },
            result => committed = result.Offsets[0].Error == CoordinatorError.UnstableOffsetCommit
                ? InDoubt
                : Math.Max(0, result.Offsets[0].Committed.Offset));
        scene.Settle();
        return committed;
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
