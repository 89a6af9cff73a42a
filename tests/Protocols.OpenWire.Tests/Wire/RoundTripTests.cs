using System.Buffers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Wire;

/// <summary>Every structure, in every version, tight and loose, with and without cache.</summary>
public sealed class RoundTripTests
{
    public static TheoryData<int, bool, bool> Forms
    {
        get
        {
            var data = new TheoryData<int, bool, bool>();
            for (int version = 1; version <= WireLimits.VersionMax; version++)
            {
                data.Add(version, false, false);
                data.Add(version, false, true);
                data.Add(version, true, false);
                data.Add(version, true, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void What_is_written_is_read(int version, bool isTight, bool isCached)
    {
        Random random = Seeds.Next();
        var format = new WireFormat(version, isTight, isCached, CacheSlots: 16);
        var writer = new WireWriter();
        var reader = new WireReader();
        writer.Use(format);
        reader.Use(format);
        for (int round = 0; round < 40; round++)
        {
            foreach (DataType type in DataTypesUnderTest.All)
            {
                IDataStructure sent = SampleFields.Make(type, random, version);
                IDataStructure got = Pass(sent, writer, reader);
                Assert.Equal(type, got.Type);
                Assert.Equal(DumpFields.Of(sent, version), DumpFields.Of(got, version));
            }
        }
    }

    [Fact]
    public void Wire_format_info_tells_both_sides_what_they_can()
    {
        var sent = new WireFormatInfo
        {
            CacheEnabled = true,
            TightEncodingEnabled = true,
            CacheSize = 77,
            MaxInactivityDurationMs = 12_345,
            MaxFrameSize = 1L << 40,
            ProviderName = "Pillarbox",
        };
        var got = (WireFormatInfo)Pass(sent.Seal(), new WireWriter(), new WireReader());
        Assert.True(got.IsValid);
        Assert.Equal(12, got.Version);
        Assert.True(got.CacheEnabled);
        Assert.True(got.TightEncodingEnabled);
        Assert.False(got.SizePrefixDisabled);
        Assert.False(got.StackTraceEnabled);
        Assert.Equal(77, got.CacheSize);
        Assert.Equal(12_345, got.MaxInactivityDurationMs);
        Assert.Equal(1L << 40, got.MaxFrameSize);
        Assert.Equal("Pillarbox", got.ProviderName);
    }

    [Fact]
    public void Bits_beyond_63_and_255_bytes_have_longer_headers()
    {
        var format = new WireFormat(12, IsTight: true);
        foreach (int elements in new[] { 0, 60, 200, 1000 })
        {
            var writer = new WireWriter();
            var reader = new WireReader();
            writer.Use(format);
            reader.Use(format);
            var sent = new DestinationInfo
            {
                BrokerPath = [.. Enumerable.Range(0, elements).Select(i => new BrokerId { Value = $"b{i}" })],
            };
            var got = (DestinationInfo)Pass(sent, writer, reader);
            Assert.Equal(sent.BrokerPath, got.BrokerPath);
        }
    }

    private static IDataStructure Pass(IDataStructure sent, WireWriter writer, WireReader reader)
    {
        var output = new ArrayBufferWriter<byte>();
        writer.Write(sent, output);
        var input = new ReadOnlySequence<byte>(output.WrittenMemory);
        Assert.True(WireFrames.TryTake(input, 1 << 20, out ReadOnlySequence<byte> frame));
        Assert.Equal(input.End, frame.End);
        IDataStructure? got = reader.Read(frame.First);
        Assert.Equal(frame.Length, reader.Position);
        return got!;
    }
}
