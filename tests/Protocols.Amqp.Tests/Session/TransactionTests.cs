using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Session;

/// <summary>Local transactions through a coordinator link (part 4).</summary>
public sealed class TransactionTests : IDisposable
{
    private const uint Coordinator = 9;

    private readonly AmqpScene _scene = new();
    private uint _nextId;

    public void Dispose()
    {
        Assert.Empty(_scene.Faults.Errors);
        _scene.Dispose();
    }

    [Fact]
    public void Coordinator_says_what_it_can()
    {
        AmqpPeer peer = _scene.InSession();
        peer.Send(FrameBytes.Of(Steps.SenderAttach(Coordinator, null) with { Target = new Coordinator() }));
        var coordinator = Assert.IsType<Coordinator>(peer.Next(Attach.DescriptorCode).AsAttach().Target);
        Assert.Equal(
            ["amqp:local-transactions", "amqp:multi-txns-per-ssn", "amqp:multi-ssns-per-txn"],
            coordinator.Capabilities!);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 0)]
    public void Publishes_appear_with_the_commit_only(bool fail, int expected)
    {
        AmqpPeer peer = Begin();
        byte[] txn = Declare(peer);
        peer.AttachSender(0, "q");
        for (int i = 0; i < 2; i++)
        {
            peer.Send(FrameBytes.Of(
                Steps.TransferOf(0, _nextId++) with { State = InTransaction(txn, default) }, Steps.Message("m")));
            Disposition provisional = peer.Next(Disposition.DescriptorCode).AsDisposition();
            Assert.Equal(DeliveryStateKind.Transactional, DeliveryState.KindOf(provisional.State));
            Assert.Equal(
                DeliveryStateKind.Accepted, DeliveryState.KindOf(
                    DeliveryState.ReadTransactional(provisional.State).Outcome));
            peer.TakeAll();
        }
        peer.AttachReceiver(1, "q");
        Assert.Equal("", peer.Credit(1, 10).TakeAll());

        Assert.Equal(DeliveryStateKind.Accepted, Discharge(peer, txn, fail));

        Assert.Equal(expected, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
    }

    [Theory]
    [InlineData(false, true, 0)]
    [InlineData(true, true, 1)]
    [InlineData(false, false, 0)]
    public void Settlements_take_effect_with_the_commit_only(bool fail, bool settled, int redelivered)
    {
        AmqpPeer peer = Begin();
        peer.AttachSender(0, "q");
        peer.Transfer(0, _nextId++, Steps.Message("m"));
        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 10);
        uint id = peer.Next(Transfer.DescriptorCode).AsTransfer(out _).DeliveryId!.Value;
        byte[] txn = Declare(peer);
        peer.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver,
            First = id,
            Settled = settled,
            State = InTransaction(txn, DeliveryState.Accepted),
        }));
        Assert.Equal("", peer.TakeAll());

        Discharge(peer, txn, fail);

        Assert.Equal(redelivered, peer.Frames.Count(f => f.Descriptor == Transfer.DescriptorCode));
        int settledByNode = peer.Frames.Count(
            f => f.Descriptor == Disposition.DescriptorCode && f.AsDisposition().Role == Role.Sender);
        Assert.Equal(!fail && !settled ? 1 : 0, settledByNode);
    }

    [Fact]
    public void Several_transactions_are_open_at_once()
    {
        AmqpPeer peer = Begin();
        byte[] first = Declare(peer);
        byte[] second = Declare(peer);
        Assert.NotEqual(first, second);
        peer.AttachSender(0, "q");
        peer.Send(FrameBytes.Of(
            Steps.TransferOf(0, _nextId++) with { State = InTransaction(first, default) }, Steps.Message("1")));
        peer.Send(FrameBytes.Of(
            Steps.TransferOf(0, _nextId++) with { State = InTransaction(second, default) }, Steps.Message("2")));
        peer.TakeAll();
        Discharge(peer, second, fail: false);
        Discharge(peer, first, fail: true);
        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 10);
        peer.Next(Transfer.DescriptorCode).AsTransfer(out byte[] message);
        Assert.Equal("2", Steps.BodyOf(message));
        Assert.Empty(peer.Frames);
    }

    [Fact]
    public void Unknown_transaction_is_refused()
    {
        AmqpPeer peer = Begin();
        peer.Send(FrameBytes.Of(Steps.TransferOf(Coordinator, _nextId++), DischargeMessage([1, 2, 3], fail: false)));
        Disposition disposition = peer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(
            AmqpErrorCondition.TransactionUnknownId, DeliveryState.ReadRejected(disposition.State).Error?.Condition);
    }

    [Fact]
    public void Finished_transaction_is_unknown()
    {
        AmqpPeer peer = Begin();
        byte[] txn = Declare(peer);
        Assert.Equal(DeliveryStateKind.Accepted, Discharge(peer, txn, fail: false));
        Assert.Equal(DeliveryStateKind.Rejected, Discharge(peer, txn, fail: false));
    }

    [Fact]
    public void Closing_the_coordinator_rolls_back()
    {
        AmqpPeer peer = Begin();
        byte[] txn = Declare(peer);
        peer.AttachSender(0, "q");
        peer.Send(FrameBytes.Of(
            Steps.TransferOf(0, _nextId++) with { State = InTransaction(txn, default) }, Steps.Message("m")));
        peer.Send(FrameBytes.Of(new Detach { Handle = Coordinator, Closed = true }));
        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        Assert.Equal("", peer.Credit(1, 10).TakeAll());
    }

    [Theory]
    [InlineData(new byte[] { 0x00, 0x53, 0x77, 0xa1, 0x01, 0x78 })]
    [InlineData(new byte[] { 0x00, 0x53, 0x77 })]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0x00, 0x53, 0x77, 0x00, 0x53, 0x31, 0xc0, 0x03, 0x01, 0xa0, 0x00 })]
    public void Nonsense_to_the_coordinator_is_rejected(byte[] message)
    {
        AmqpPeer peer = Begin();
        peer.Send(FrameBytes.Of(Steps.TransferOf(Coordinator, _nextId++), message));
        Assert.Equal(
            DeliveryStateKind.Rejected, DeliveryState.KindOf(
                peer.Next(Disposition.DescriptorCode).AsDisposition().State));
        Assert.NotEmpty(Declare(peer));
    }

    [Fact]
    public void Transactions_of_a_connection_are_bounded()
    {
        using var scene = new AmqpScene(new AmqpOptions { TransactionsMax = 2 });
        AmqpPeer peer = Begin(scene);
        Declare(peer);
        Declare(peer);
        peer.Send(FrameBytes.Of(Steps.TransferOf(Coordinator, _nextId++), DeclareMessage));
        Disposition disposition = peer.Next(Disposition.DescriptorCode).AsDisposition();
        Assert.Equal(
            AmqpErrorCondition.ResourceLimitExceeded, DeliveryState.ReadRejected(disposition.State).Error?.Condition);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Link_whose_acknowledgements_do_not_fit_into_a_transaction_is_ended(bool settled)
    {
        const int Messages = 40;
        using var scene = new AmqpScene(configure: options => options with { TransactionBytesMax = 2000 });
        AmqpPeer peer = Begin(scene);
        byte[] txn = Declare(peer);
        peer.AttachSender(0, "q");
        for (int i = 0; i < Messages; i++)
        {
            peer.Transfer(0, _nextId++, Steps.Message($"{i}"));
        }

        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, Messages);
        uint first = peer.Next(Transfer.DescriptorCode).AsTransfer(out _).DeliveryId!.Value;
        peer.TakeAll();
        peer.Send(FrameBytes.Of(new Disposition
        {
            Role = Role.Receiver,
            First = first,
            Last = first + Messages - 1,
            Settled = settled,
            State = InTransaction(txn, DeliveryState.Accepted),
        }));
        Detach detach = peer.Next(Detach.DescriptorCode).AsDetach();
        Assert.Equal(AmqpErrorCondition.ResourceLimitExceeded, detach.Error!.Condition);
        peer.Send(FrameBytes.Of(new Detach { Handle = 1, Closed = true }));

        Assert.Equal(DeliveryStateKind.Rejected, Discharge(peer, txn, fail: false));

        peer.TakeAll();
        peer.AttachReceiver(1, "q");
        peer.Credit(1, 2 * Messages);
        Assert.Equal(Messages, peer.Frames.Count(frame => frame.Descriptor == Transfer.DescriptorCode));
        Assert.Empty(scene.Faults.Errors);
    }

    private static byte[] DeclareMessage => [0x00, 0x53, 0x77, 0x00, 0x53, 0x31, 0x45];

    private static byte[] DischargeMessage(byte[] txn, bool fail) => AmqpValue.Described(
        Descriptors.AmqpValue, AmqpValue.Described(Pillarbox.Protocols.Amqp.Wire.Discharge.DescriptorCode,
            AmqpValue.List(txn, fail))).ToEncoded();

    private static byte[] InTransaction(byte[] txn, ReadOnlySpan<byte> outcome)
    {
        var writer = new AmqpWriter(new byte[64]);
        new TransactionalState { TxnId = txn, Outcome = outcome }.Write(ref writer);
        return writer.Written.ToArray();
    }

    private AmqpPeer Begin(AmqpScene? scene = null)
    {
        AmqpPeer peer = (scene ?? _scene).InSession();
        peer.Send(FrameBytes.Of(Steps.SenderAttach(Coordinator, null) with { Target = new Coordinator() }));
        peer.TakeAll();
        return peer;
    }

    private byte[] Declare(AmqpPeer peer)
    {
        peer.TakeAll();
        peer.Send(FrameBytes.Of(Steps.TransferOf(Coordinator, _nextId++), DeclareMessage));
        Disposition disposition = peer.Next(Disposition.DescriptorCode).AsDisposition();
        byte[] txn = DeliveryState.ReadDeclared(disposition.State).TxnId.ToArray();
        peer.TakeAll();
        return txn;
    }

    // The answer to the discharge; other frames stay.
    private DeliveryStateKind Discharge(AmqpPeer peer, byte[] txn, bool fail)
    {
        uint id = _nextId++;
        peer.Send(FrameBytes.Of(Steps.TransferOf(Coordinator, id), DischargeMessage(txn, fail)));
        foreach (ReceivedFrame frame in peer.Frames.Where(f => f.Descriptor == Disposition.DescriptorCode))
        {
            Disposition disposition = frame.AsDisposition();
            if (disposition.Role == Role.Receiver && disposition.First == id)
            {
                return DeliveryState.KindOf(disposition.State);
            }
        }
        return DeliveryStateKind.None;
    }
}
