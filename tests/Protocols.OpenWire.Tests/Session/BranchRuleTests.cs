using Pillarbox.Fuzz.OpenWire.Scene;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Session;

/// <summary>Branches of distributed transactions, step by step: what is refused, and what a refusal leaves.</summary>
public sealed class BranchRuleTests
{
    private const int NoBranch = -4;
    private const int WrongState = -6;
    private const int Exists = -8;
    private const int RolledBack = 100;
    private const int TookTooLong = 106;

    private static readonly Destination Orders = Destination.Queue("orders");

    [Fact]
    public void A_step_that_comes_too_early_leaves_the_branch_as_it_was()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        XaTransactionId id = Begun(peer, 1);
        MessageAck ack = OpenWireSteps.Ack(peer.Take<MessageDispatch>()!);
        ack.TransactionId = id;
        Good(peer.Ask(ack));
        Assert.Equal(WrongState, CodeOf(peer, id, TransactionStep.Prepare));
        Assert.Equal(WrongState, CodeOf(peer, id, TransactionStep.CommitOnePhase));
        Assert.Equal(WrongState, CodeOf(peer, id, TransactionStep.CommitTwoPhase));

        Good(peer.Ask(In(id, 2)));
        Good(peer.Ask(OpenWireSteps.Transaction(id, TransactionStep.End)));
        Assert.Equal(0, Assert.IsType<IntegerResponse>(Step(peer, id, TransactionStep.Prepare)).Result);
        Good(Step(peer, id, TransactionStep.CommitTwoPhase));
        Assert.Equal(2, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        Assert.Null(peer.Take<MessageDispatch>());
    }

    // Its record is on disk: a start after a crash would not find what came later.
    [Fact]
    public void Nothing_goes_into_a_branch_that_is_prepared()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        Good(peer.Ask(OpenWireSteps.Text(Orders, 1)));
        Good(peer.Ask(OpenWireSteps.Consumer(Orders)));
        XaTransactionId id = Begun(peer, 1);
        Good(peer.Ask(In(id, 2)));
        Good(Step(peer, id, TransactionStep.End));
        Assert.Equal(0, Assert.IsType<IntegerResponse>(Step(peer, id, TransactionStep.Prepare)).Result);
        Assert.Equal(WrongState, CodeOf(peer.Ask(In(id, 3))));
        MessageAck ack = OpenWireSteps.Ack(peer.Take<MessageDispatch>()!);
        ack.TransactionId = id;
        Assert.Equal(WrongState, CodeOf(peer.Ask(ack)));
        Assert.Equal(Exists, CodeOf(peer, id, TransactionStep.Begin));

        Good(Step(peer, id, TransactionStep.CommitTwoPhase));
        Assert.Equal(2, peer.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        Assert.Null(peer.Take<MessageDispatch>());
        Assert.Equal(NoBranch, CodeOf(peer, id, TransactionStep.CommitTwoPhase));
    }

    [Fact]
    public void Branches_that_took_too_long_take_no_room()
    {
        using var scene = new OpenWireScene(
            new OpenWireOptions { TransactionsMax = 1 }, b => b with { XaTimeoutMs = 1000 });
        OpenWirePeer peer = scene.InSession();
        for (byte number = 1; number <= 3; number++)
        {
            XaTransactionId id = Begun(peer, number);
            scene.Advance(5000);
            Assert.IsType<ExceptionResponse>(peer.Ask(In(id, number)));
            Assert.Equal(TookTooLong, CodeOf(peer, id, TransactionStep.End));
            Assert.Equal(NoBranch, CodeOf(peer, id, TransactionStep.Rollback));
        }
    }

    [Fact]
    public void Nor_do_those_that_are_refused_at_their_end()
    {
        using var scene = new OpenWireScene(new OpenWireOptions { TransactionsMax = 1 });
        OpenWirePeer peer = scene.InSession();
        for (byte number = 1; number <= 3; number++)
        {
            XaTransactionId id = Begun(peer, number);
            Message message = In(id, number);
            message.Destination = Destination.Queue("no.*.wildcard");
            peer.Send(message, asks: false);
            Good(Step(peer, id, TransactionStep.End));
            Assert.Equal(RolledBack, CodeOf(
                peer, id, number % 2 == 0 ? TransactionStep.Prepare : TransactionStep.CommitOnePhase));
        }
    }

    [Fact]
    public void Nor_do_those_that_another_connection_has_ended()
    {
        using var scene = new OpenWireScene(new OpenWireOptions { TransactionsMax = 1 });
        OpenWirePeer peer = scene.InSession();
        OpenWirePeer other = scene.InSession(loginAs: "other");
        for (byte number = 1; number <= 3; number++)
        {
            XaTransactionId id = Begun(peer, number);
            Good(peer.Ask(In(id, number)));
            Good(Step(peer, id, TransactionStep.End));
            Assert.IsType<IntegerResponse>(Step(peer, id, TransactionStep.Prepare));
            TransactionInfo commit = OpenWireSteps.Transaction(id, TransactionStep.CommitTwoPhase);
            commit.ConnectionId = new ConnectionId { Value = "other" };
            Good(other.Ask(commit));
        }
    }

    [Fact]
    public void A_branch_without_work_is_over_with_its_prepare()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        XaTransactionId id = Begun(peer, 1);
        Good(Step(peer, id, TransactionStep.End));
        Assert.Equal(3, Assert.IsType<IntegerResponse>(Step(peer, id, TransactionStep.Prepare)).Result);
        Assert.Equal(NoBranch, CodeOf(peer, id, TransactionStep.CommitTwoPhase));
    }

    // The client may have been told, or not: the transaction manager asks.
    [Fact]
    public void What_was_not_prepared_when_the_connection_broke_is_gone_and_what_was_is_told()
    {
        using var scene = new OpenWireScene();
        OpenWirePeer peer = scene.InSession();
        XaTransactionId ended = Begun(peer, 1);
        Good(peer.Ask(In(ended, 1)));
        Good(Step(peer, ended, TransactionStep.End));
        XaTransactionId prepared = Begun(peer, 2);
        Good(peer.Ask(In(prepared, 2)));
        Good(Step(peer, prepared, TransactionStep.End));
        Assert.IsType<IntegerResponse>(Step(peer, prepared, TransactionStep.Prepare));
        peer.Cut();

        OpenWirePeer again = scene.InSession();
        Assert.Equal(NoBranch, CodeOf(again, ended, TransactionStep.Prepare));
        DataArrayResponse told = Assert.IsType<DataArrayResponse>(
            again.Ask(OpenWireSteps.Transaction(null!, TransactionStep.Recover)));
        Assert.Equal(prepared, Assert.Single(told.Data!));
        Assert.Equal(0, Assert.IsType<IntegerResponse>(Step(again, prepared, TransactionStep.Prepare)).Result);
        Good(Step(again, prepared, TransactionStep.CommitTwoPhase));
        Good(again.Ask(OpenWireSteps.Consumer(Orders)));
        Assert.Equal(2, again.Take<MessageDispatch>()!.Message!.MessageId!.ProducerSequence);
        Assert.Null(again.Take<MessageDispatch>());
    }

    private static XaTransactionId Begun(OpenWirePeer peer, byte number)
    {
        var id = new XaTransactionId
        {
            FormatId = 1,
            GlobalTransactionId = new byte[] { number },
            BranchQualifier = new byte[] { 1 },
        };
        Good(Step(peer, id, TransactionStep.Begin));
        return id;
    }

    private static Message In(XaTransactionId id, int number)
    {
        Message message = OpenWireSteps.Text(Orders, number);
        message.TransactionId = id;
        return message;
    }

    private static Response Step(OpenWirePeer peer, XaTransactionId id, TransactionStep step) =>
        peer.Ask(OpenWireSteps.Transaction(id, step));

    private static int CodeOf(OpenWirePeer peer, XaTransactionId id, TransactionStep step) =>
        CodeOf(Step(peer, id, step));

    // As ActiveMQ's client reads it.
    private static int CodeOf(Response response)
    {
        const string Mark = "xaErrorCode:";
        string message = Assert.IsType<ExceptionResponse>(response).Exception!.Message!;
        int at = message.LastIndexOf(Mark, StringComparison.Ordinal);
        Assert.True(at >= 0, message);
        return int.Parse(message[(at + Mark.Length)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void Good(Response response) =>
        Assert.False(response is ExceptionResponse, (response as ExceptionResponse)?.Exception?.ToString());
}
