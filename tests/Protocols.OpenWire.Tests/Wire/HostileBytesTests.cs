using System.Buffers;
using System.Buffers.Binary;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Wire;

/// <summary>What is cut, mutated or absurd ends in the protocol's exception, never in another one.</summary>
public sealed class HostileBytesTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(12, false)]
    [InlineData(1, true)]
    [InlineData(12, true)]
    public void A_frame_that_is_cut_anywhere_is_refused(int version, bool isTight)
    {
        Random random = Seeds.Next();
        var format = new WireFormat(version, isTight);
        foreach (DataType type in DataTypesUnderTest.All)
        {
            byte[] frame = Frame(SampleFields.Make(type, random, version), format);
            var reader = new WireReader();
            reader.Use(format);
            for (int length = 0; length < frame.Length; length++)
            {
                Assert.Throws<OpenWireException>(() => reader.Read(frame.AsMemory(0, length)));
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Mutated_frames_raise_nothing_else(bool isTight)
    {
        Random random = Seeds.Next();
        var format = new WireFormat(12, isTight, IsCached: true);
        for (int i = 0; i < 30_000; i++)
        {
            DataType type = DataTypesUnderTest.All[random.Next(DataTypesUnderTest.All.Count)];
            byte[] frame = Frame(SampleFields.Make(type, random, 12), format);
            for (int n = random.Next(1, 6); n > 0; n--)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }

            var reader = new WireReader();
            reader.Use(format);
            Exception? escaped = Record.Exception(() => reader.Read(frame));
            Assert.True(escaped is null or OpenWireException, escaped?.ToString());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(1025)]
    public void A_size_out_of_bounds_is_refused_before_its_bytes_are_there(int size)
    {
        byte[] prefix = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(prefix, size);
        Assert.Throws<OpenWireException>(() => WireFrames.TryTake(new ReadOnlySequence<byte>(prefix), 1024, out _));
    }

    [Fact]
    public void A_slot_that_was_never_filled_is_refused()
    {
        var reader = new WireReader();
        reader.Use(new WireFormat(12, IsCached: true));
        // SessionInfo: number, no answer, a known structure in slot 9.
        Assert.Throws<OpenWireException>(() => reader.Read(new byte[] { 4, 0, 0, 0, 1, 0, 0, 0, 9 }));
    }

    [Fact]
    public void The_peers_cache_is_bounded_in_bytes()
    {
        var format = new WireFormat(12, IsCached: true);
        var writer = new WireWriter();
        var reader = new WireReader();
        writer.Use(format);
        reader.Use(format);
        var fault = Assert.Throws<OpenWireException>(() =>
        {
            for (int i = 0; i < WireLimits.CacheSlotsMax; i++)
            {
                var output = new ArrayBufferWriter<byte>();
                writer.Write(
                    new SessionInfo { SessionId = new SessionId { Connection = new string('x', 60_000) + i } }, output);
                reader.Read(output.WrittenMemory[4..]);
            }
        });
        Assert.Contains("cache", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Structures_nest_no_deeper_than_the_limit()
    {
        Command nested = new DataResponse();
        for (int i = 0; i < WireLimits.NestingMax + 1; i++)
        {
            nested = new DataResponse { Data = nested };
        }

        byte[] frame = Frame(nested, new WireFormat(12));
        var reader = new WireReader();
        reader.Use(new WireFormat(12));
        Assert.Throws<OpenWireException>(() => reader.Read(frame));
    }

    private static byte[] Frame(IDataStructure structure, WireFormat format)
    {
        var writer = new WireWriter();
        writer.Use(format);
        var output = new ArrayBufferWriter<byte>();
        writer.Write(structure, output);
        return output.WrittenSpan[4..].ToArray();
    }
}
