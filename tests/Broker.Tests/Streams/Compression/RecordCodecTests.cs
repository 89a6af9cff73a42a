using System.Text;
using Pillarbox.Broker.Streams.Compression;
using Pillarbox.Model;
using Pillarbox.Model.Records;

namespace Pillarbox.Broker.Tests.Streams.Compression;

/// <summary>Compressions of records.</summary>
public sealed class RecordCodecTests
{
    public static TheoryData<RecordCompression> Kinds => [.. Enum.GetValues<RecordCompression>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Bytes_go_round(RecordCompression kind)
    {
        SeededRandom random = Seeds.New(out string seed);
        for (int i = 0; i < 60; i++)
        {
            byte[] plain = MakeBytes(random, i);
            using var packed = new PooledBuffer();
            using var again = new PooledBuffer(plain.Length + (5 << 20));
            Assert.Equal(CodecFault.None, RecordCodec.TryCompress(kind, 0, plain, packed));
            CodecFault fault = RecordCodec.TryDecompress(kind, packed.WrittenSpan, again);
            Assert.True(fault == CodecFault.None, $"{fault} {plain.Length} {seed}");
            Assert.True(again.WrittenSpan.SequenceEqual(plain), seed);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Repeated_bytes_become_few(RecordCompression kind)
    {
        byte[] plain = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("temperature=21.5;", 5000)));
        using var packed = new PooledBuffer();
        RecordCodec.TryCompress(kind, 0, plain, packed);
        Assert.True(kind == RecordCompression.None || packed.Length < plain.Length / 10);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_bomb_ends_at_the_limit(RecordCompression kind)
    {
        using var packed = new PooledBuffer();
        RecordCodec.TryCompress(kind, 0, new byte[5_000_000], packed);
        using var small = new PooledBuffer(100_000);
        Assert.Equal(CodecFault.TooLarge, RecordCodec.TryDecompress(kind, packed.WrittenSpan, small));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Broken_bytes_are_a_fault_never_an_exception(RecordCompression kind)
    {
        SeededRandom random = Seeds.New(out string seed);
        byte[] plain = MakeBytes(random, 30);
        using var packed = new PooledBuffer();
        RecordCodec.TryCompress(kind, 0, plain, packed);
        for (int i = 0; i < 3000; i++)
        {
            byte[] broken = packed.WrittenSpan.ToArray();
            for (int flips = 1 + random.Next(4); flips > 0; flips--)
            {
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            }

            using var into = new PooledBuffer(1 << 20);
            CodecFault fault = RecordCodec.TryDecompress(kind, broken.AsSpan(0, random.Next(broken.Length + 1)), into);
            Assert.True(Enum.IsDefined(fault) && into.Length <= 1 << 20, seed);
        }
    }

    [Fact]
    public void An_lz4_frame_of_the_reference_library_is_read()
    {
        // 20 times "pillarbox ", as liblz4 writes it.
        byte[] frame = Convert.FromHexString(
            "04224D1860408214000000AF70696C6C6172626F78200A00A65072626F782000000000");
        using var into = new PooledBuffer();
        Assert.Equal(CodecFault.None, RecordCodec.TryDecompress(RecordCompression.Lz4, frame, into));
        Assert.Equal(string.Concat(Enumerable.Repeat("pillarbox ", 20)), Encoding.UTF8.GetString(into.WrittenSpan));
    }

    /// <summary>Old clients computed it over the wrong bytes; a batch has a checksum of its own.</summary>
    [Fact]
    public void An_lz4_frame_with_a_wrong_header_checksum_is_read()
    {
        byte[] frame = Convert.FromHexString(
            "04224D1860400014000000AF70696C6C6172626F78200A00A65072626F782000000000");
        using var into = new PooledBuffer();
        Assert.Equal(CodecFault.None, RecordCodec.TryDecompress(RecordCompression.Lz4, frame, into));
        Assert.Equal(200, into.Length);
    }

    // "pillarbox" as one Snappy block: its length, a literal of 9 bytes.
    private const string Block = "092070696C6C6172626F78";
    private const string XerialHeader = "82534E41505059000000000100000001";

    [Theory]
    [InlineData(Block, "pillarbox")]
    [InlineData(XerialHeader, "")]
    [InlineData(XerialHeader + "0000000B" + Block, "pillarbox")]
    [InlineData(XerialHeader + "0000000B" + Block + "0000000B" + Block, "pillarboxpillarbox")]
    [InlineData(XerialHeader + "0000000B" + Block + XerialHeader + "0000000B" + Block, "pillarboxpillarbox")]
    public void Snappy_is_read_bare_and_in_the_framing_of_xerial(string hex, string expected)
    {
        using var into = new PooledBuffer();
        Assert.Equal(
            CodecFault.None,
            RecordCodec.TryDecompress(RecordCompression.Snappy, Convert.FromHexString(hex), into));
        Assert.Equal(expected, Encoding.UTF8.GetString(into.WrittenSpan));
    }

    [Theory]
    [InlineData(XerialHeader + "0000000C" + Block)]
    [InlineData(XerialHeader + "FFFFFFFF" + Block)]
    [InlineData(XerialHeader + "0000")]
    public void Framing_that_lies_is_corrupt(string hex)
    {
        using var into = new PooledBuffer();
        Assert.Equal(
            CodecFault.Corrupt,
            RecordCodec.TryDecompress(RecordCompression.Snappy, Convert.FromHexString(hex), into));
    }

    [Fact]
    public void Snappy_is_written_in_the_framing_of_xerial()
    {
        using var packed = new PooledBuffer();
        RecordCodec.TryCompress(RecordCompression.Snappy, 0, "pillarbox"u8, packed);
        Assert.StartsWith(XerialHeader, Convert.ToHexString(packed.WrittenSpan), StringComparison.Ordinal);
    }

    [Fact]
    public void The_checksum_of_an_lz4_header_is_that_of_the_format()
    {
        // FLG 0x60, BD 0x40: the frame that every implementation writes begins so.
        using var packed = new PooledBuffer();
        RecordCodec.TryCompress(RecordCompression.Lz4, 0, [1], packed);
        Assert.Equal("04224D18604082", Convert.ToHexString(packed.WrittenSpan[..7]));
    }

    private static byte[] MakeBytes(SeededRandom random, int round)
    {
        byte[] bytes = new byte[round switch { 0 => 0, < 20 => random.Next(40), _ => random.Next(300_000) }];
        random.Fill(bytes);
        if (round % 3 != 0)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)(bytes[i] % 4 == 0 ? bytes[i] : i / 7);
            }
        }

        return bytes;
    }
}
