using Pillarbox.Fuzz.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>Transfer, disposition, flow, delivery states and header: byte for byte, and without allocation.</summary>
public sealed class HotPathTests
{
    private const string FullTransfer =
        "00 53 14 c0 18 0b 52 07 70 00010000 a0 02 aabb 43 41 41 50 01 00 53 24 45 41 41 41";

    [Fact]
    public void Transfer_with_every_field()
    {
        byte[] bytes = Bytes.FromHex(FullTransfer);
        AmqpReader reader = new(bytes);
        Transfer transfer = Transfer.Read(ref reader);
        Assert.True(reader.AtEnd);
        Assert.Equal((7u, 0x10000u, 0u), (transfer.Handle, transfer.DeliveryId!.Value, transfer.MessageFormat!.Value));
        Assert.Equal("aabb", Bytes.Hex(transfer.DeliveryTag));
        Assert.Equal((true, true, ReceiverSettleMode.Second), (transfer.Settled!.Value, transfer.More,
            transfer.ReceiverSettleMode!.Value));
        Assert.Equal(DeliveryStateKind.Accepted, DeliveryState.KindOf(transfer.State));
        Assert.True(transfer.Resume && transfer.Aborted && transfer.Batchable);
        AmqpWriter writer = new(new byte[64]);
        transfer.Write(ref writer);
        Assert.Equal(Bytes.Hex(bytes), Bytes.Hex(writer.Written));
    }

    [Fact]
    public void Transfer_of_a_continuation_has_a_handle_only()
    {
        AmqpReader reader = new(Bytes.FromHex("00 53 14 c0 03 01 52 07 ffff"));
        Transfer transfer = Transfer.Read(ref reader);
        Assert.Equal("ffff", Bytes.Hex(reader.Rest));
        Assert.False(transfer.HasDeliveryTag || transfer.DeliveryId.HasValue || transfer.Settled.HasValue
            || transfer.More);
        AmqpWriter writer = new(new byte[64]);
        transfer.Write(ref writer);
        Assert.Equal("005314c003015207", Bytes.Hex(writer.Written));
    }

    [Fact]
    public void An_empty_delivery_tag_is_not_an_absent_one()
    {
        AmqpReader reader = new(Bytes.FromHex("00 53 14 c0 05 03 43 43 a0 00"));
        Transfer transfer = Transfer.Read(ref reader);
        Assert.True(transfer.HasDeliveryTag);
        AmqpWriter writer = new(new byte[64]);
        transfer.Write(ref writer);
        Assert.Equal("005314c005034343a000", Bytes.Hex(writer.Written));
    }

    [Fact]
    public void Disposition_flow_and_their_defaults()
    {
        AmqpReader reader = new(Bytes.FromHex("00 53 15 c0 0c 06 41 52 01 52 05 41 00 53 26 45 41"));
        Disposition disposition = Disposition.Read(ref reader);
        Assert.Equal((Role.Receiver, 1u, 5u, true, true), (disposition.Role, disposition.First,
            disposition.Last!.Value, disposition.Settled, disposition.Batchable));
        Assert.Equal(DeliveryStateKind.Released, DeliveryState.KindOf(disposition.State));

        reader = new(Bytes.FromHex("00 53 13 c0 13 0b 43 52 64 43 52 64 43 43 52 0a 43 41 41 c1 05 02 43 44 43 44"));
        Assert.Throws<AmqpException>(static () =>
        {
            AmqpReader broken = new(Bytes.FromHex("00 53 13 c0 04 03 40 43 43"));
            Flow.Read(ref broken);
        });
        reader = new(Bytes.FromHex("00 53 13 c0 11 0b 43 52 64 43 52 64 43 43 52 0a 43 41 41 c1 01 00"));
        Flow flow = Flow.Read(ref reader);
        Assert.Equal((0u, 100u, 0u, 100u), (flow.NextIncomingId!.Value, flow.IncomingWindow, flow.NextOutgoingId,
            flow.OutgoingWindow));
        Assert.Equal((0u, 0u, 10u, 0u), (flow.Handle!.Value, flow.DeliveryCount!.Value, flow.LinkCredit!.Value,
            flow.Available!.Value));
        Assert.True(flow.Drain && flow.Echo);
        Assert.Equal("c10100", Bytes.Hex(flow.Properties));

        reader = new(Bytes.FromHex("00 53 13 c0 05 04 40 43 43 43"));
        flow = Flow.Read(ref reader);
        Assert.False(flow.NextIncomingId.HasValue || flow.Handle.HasValue || flow.LinkCredit.HasValue || flow.Drain
            || flow.Echo);
    }

    [Fact]
    public void Delivery_states_are_told_apart_and_read()
    {
        Assert.Equal(DeliveryStateKind.None, DeliveryState.KindOf(default));
        Assert.Equal(DeliveryStateKind.None, DeliveryState.KindOf([FormatCode.Null]));
        Assert.Equal(DeliveryStateKind.Unknown, DeliveryState.KindOf(Bytes.FromHex("00 53 99 45")));
        Assert.Equal(DeliveryStateKind.Unknown, DeliveryState.KindOf(Bytes.FromHex("00 41 45")));
        Assert.Throws<AmqpException>(static () => DeliveryState.KindOf(Bytes.FromHex("45")));
        Assert.Equal(DeliveryStateKind.Accepted, DeliveryState.KindOf(DeliveryState.Accepted));
        Assert.Equal(DeliveryStateKind.Released, DeliveryState.KindOf(DeliveryState.Released));
        Assert.Equal(DeliveryStateKind.Rejected, DeliveryState.KindOf(DeliveryState.Rejected));
        Assert.Null(DeliveryState.ReadRejected(DeliveryState.Rejected).Error);
        Modified modified = DeliveryState.ReadModified(DeliveryState.ModifiedFailed);
        Assert.True(modified.DeliveryFailed);
        Assert.False(modified.UndeliverableHere);
        Assert.Equal(7u, DeliveryState.ReadReceived(Bytes.FromHex("00 53 23 c0 04 02 52 07 44")).SectionNumber);
        Assert.Equal("0102", Bytes.Hex(DeliveryState.ReadDeclared(Bytes.FromHex(
            "00 53 33 c0 05 01 a0 02 0102")).TxnId));
        TransactionalState state = DeliveryState.ReadTransactional(Bytes.FromHex(
            "00 53 34 c0 09 02 a0 02 0102 00 53 24 45"));
        Assert.Equal("0102", Bytes.Hex(state.TxnId));
        Assert.Equal(DeliveryStateKind.Accepted, DeliveryState.KindOf(state.Outcome));
        AmqpReader reader = new(Bytes.FromHex("00 53 32 c0 05 02 a0 01 09 41"));
        Discharge discharge = Discharge.Read(ref reader);
        Assert.True(discharge.Fail);
    }

    [Fact]
    public void Random_ones_survive_a_round_trip() => Bytes.ForSeeds(2_000, static (random, grammar) =>
    {
        byte[] tag = grammar.Bytes(random.Next(33));
        byte[] state = random.Next(2) == 0 ? DeliveryState.ModifiedFailed.ToArray() : [];
        AmqpWriter writer = new(new byte[256]);
        new Transfer
        {
            Handle = (uint)random.Next(),
            DeliveryId = (uint)random.Next(),
            DeliveryTag = tag,
            MessageFormat = 0,
            More = random.Next(2) == 0,
            State = state,
            Aborted = random.Next(2) == 0,
        }.Write(ref writer);
        byte[] first = writer.Written.ToArray();
        AmqpReader reader = new(first);
        Transfer read = Transfer.Read(ref reader);
        Assert.True(reader.AtEnd);
        Assert.Equal(tag, read.DeliveryTag.ToArray());
        Assert.Equal(state, read.State.ToArray());
        writer.Rewind(0);
        read.Write(ref writer);
        Assert.Equal(first, writer.Written.ToArray());
    });

    [Fact]
    public void Mutated_ones_are_read_or_refused()
    {
        byte[][] seeds =
        [
            Bytes.FromHex(FullTransfer), Bytes.FromHex("00 53 15 c0 0c 06 41 52 01 52 05 41 00 53 26 45 41"),
            Bytes.FromHex("00 53 13 c0 11 0b 43 52 64 43 52 64 43 43 52 0a 43 41 41 c1 01 00"),
        ];
        Bytes.ForSeeds(20_000, (random, grammar) =>
        {
            byte[] bytes = grammar.Mutate(seeds[random.Next(seeds.Length)]);
            try
            {
                ReadHot(bytes);
            }
            catch (AmqpException)
            {
            }
        });
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] transfer = Bytes.FromHex(FullTransfer);
        byte[] disposition = Bytes.FromHex("00 53 15 c0 0c 06 41 52 01 52 05 41 00 53 26 45 41");
        byte[] flow = Bytes.FromHex("00 53 13 c0 11 0b 43 52 64 43 52 64 43 43 52 0a 43 41 41 c1 01 00");
        byte[] message = new AmqpGrammar(new Random(1)).Message().ToArray();
        byte[] output = new byte[4096];
        for (int i = 0; i < 3; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            int written = RewriteHot(transfer, output) + RewriteHot(disposition, output) + RewriteHot(flow, output);
            MessageView view = new(message);
            bool found = view.ApplicationProperties.TryGet("nobody", out _)
                | view.MessageAnnotations.TryGet("x-opt-none", out _);
            HeaderSection header = view.Header;
            AmqpScalar id = view.Properties.MessageId;
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(transfer.Length + disposition.Length + flow.Length, written);
            Assert.False(found && header.FirstAcquirer && id.IsNull);
            Assert.True(i == 0 || allocated == 0, $"{allocated} bytes allocated");
        }
    }

    private static void ReadHot(ReadOnlySpan<byte> bytes) => RewriteHot(bytes, new byte[4 * bytes.Length + 64]);

    private static int RewriteHot(ReadOnlySpan<byte> bytes, Span<byte> output)
    {
        AmqpReader reader = new(bytes);
        AmqpWriter writer = new(output);
        switch (reader.ReadDescriptor())
        {
            case Transfer.DescriptorCode:
                Transfer transfer = Transfer.ReadFields(ref reader);
                _ = DeliveryState.KindOf(transfer.State);
                transfer.Write(ref writer);
                break;
            case Disposition.DescriptorCode:
                Disposition disposition = Disposition.ReadFields(ref reader);
                _ = DeliveryState.KindOf(disposition.State);
                disposition.Write(ref writer);
                break;
            case Flow.DescriptorCode:
                Flow.ReadFields(ref reader).Write(ref writer);
                break;
        }
        return writer.Position;
    }
}
