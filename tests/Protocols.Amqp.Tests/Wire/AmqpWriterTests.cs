using System.Buffers;
using System.IO.Pipelines;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>The writer's promises about its output: contiguous until the commit, growing, rewinding.</summary>
public sealed class AmqpWriterTests
{
    [Fact]
    public async Task Grows_over_the_segments_of_a_pipe()
    {
        Pipe pipe = new(new PipeOptions(minimumSegmentSize: 64, useSynchronizationContext: false));
        byte[] expected = [.. Enumerable.Range(0, 5000).SelectMany(i => AmqpValue.Int(i * 1000).ToEncoded())];
        WriteMany(pipe.Writer);
        await pipe.Writer.CompleteAsync();
        ReadResult result = await pipe.Reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Bytes.Hex(expected), Bytes.Hex(result.Buffer.ToArray()));

        static void WriteMany(PipeWriter output)
        {
            AmqpWriter writer = new(output, 16);
            for (int i = 0; i < 5000; i++)
            {
                writer.WriteInt(i * 1000);
                if (i == 2500)
                {
                    writer.Commit();
                    Assert.Equal(0, writer.Position);
                }
            }
            writer.Commit();
        }
    }

    [Fact]
    public void What_is_not_committed_leaves_no_trace()
    {
        ArrayBufferWriter<byte> output = new();
        AmqpWriter writer = new(output);
        writer.WriteString("lost");
        Assert.Equal(0, output.WrittenCount);
        writer.Rewind(0);
        writer.WriteBoolean(true);
        writer.Commit();
        Assert.Equal("41", Bytes.Hex(output.WrittenSpan));
    }

    [Fact]
    public void A_fixed_buffer_that_is_too_short_is_our_own_fault()
    {
        Assert.Throws<InvalidOperationException>(static () =>
        {
            AmqpWriter writer = new(new byte[3]);
            writer.WriteUInt(70000);
        });
        Assert.Throws<ArgumentException>(static () =>
        {
            AmqpWriter writer = new(new byte[30]);
            writer.WriteSymbol("é");
        });
    }

    [Fact]
    public void A_list_that_outgrows_its_small_header_moves_up()
    {
        foreach (int items in new[] { 0, 1, 126, 127, 128, 255, 256, 5000 })
        {
            byte[] bytes = Bytes.Written((ref AmqpWriter writer) =>
            {
                writer.WriteBoolean(true);
                int outer = writer.BeginCompound();
                int inner = writer.BeginCompound();
                for (int i = 0; i < items; i++)
                {
                    writer.WriteUByte(7);
                }
                writer.EndList(inner, items);
                writer.WriteNull();
                writer.EndList(outer, 2);
                writer.WriteBoolean(false);
            });
            AmqpReader reader = new(bytes);
            Assert.True(reader.ReadBoolean());
            CompoundHeader header = reader.ReadListHeader();
            Assert.Equal(2, header.Count);
            Assert.Equal(Enumerable.Repeat(AmqpValue.UByte(7), items), reader.ReadValue().AsList());
            Assert.True(reader.TryReadNull());
            reader.EndCompound(header);
            Assert.False(reader.ReadBoolean());
            Assert.True(reader.AtEnd);
        }
    }
}
