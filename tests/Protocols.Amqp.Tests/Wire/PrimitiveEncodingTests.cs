using System.Text;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>
/// Every encoding of part 1 section 1.6, byte for byte; what is not the smallest is read and not written.
/// </summary>
public sealed class PrimitiveEncodingTests
{
    public static TheoryData<string, AmqpValue> Smallest => new()
    {
        { "40", AmqpValue.Null },
        { "41", true },
        { "42", false },
        { "50 ff", AmqpValue.UByte(255) },
        { "51 80", AmqpValue.Byte(-128) },
        { "60 ffff", AmqpValue.UShort(ushort.MaxValue) },
        { "61 8000", AmqpValue.Short(short.MinValue) },
        { "43", AmqpValue.UInt(0) },
        { "52 ff", AmqpValue.UInt(255) },
        { "70 00000100", AmqpValue.UInt(256) },
        { "70 ffffffff", AmqpValue.UInt(uint.MaxValue) },
        { "44", AmqpValue.ULong(0) },
        { "53 01", AmqpValue.ULong(1) },
        { "80 0000000000000100", AmqpValue.ULong(256) },
        { "80 ffffffffffffffff", AmqpValue.ULong(ulong.MaxValue) },
        { "54 80", AmqpValue.Int(-128) },
        { "54 7f", AmqpValue.Int(127) },
        { "71 00000080", AmqpValue.Int(128) },
        { "71 ffffff7f", AmqpValue.Int(-129) },
        { "55 ff", AmqpValue.Long(-1) },
        { "81 0000000000000080", AmqpValue.Long(128) },
        { "81 8000000000000000", AmqpValue.Long(long.MinValue) },
        { "72 3fc00000", AmqpValue.Float(1.5f) },
        { "82 3ff8000000000000", AmqpValue.Double(1.5) },
        { "74 01020304", AmqpValue.Decimal([1, 2, 3, 4]) },
        { "84 0102030405060708", AmqpValue.Decimal([1, 2, 3, 4, 5, 6, 7, 8]) },
        {
            "94 0102030405060708090a0b0c0d0e0f10",
            AmqpValue.Decimal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
        },
        { "73 0001f600", AmqpValue.Char(new Rune(0x1f600)) },
        { "83 00000000000003e8", AmqpValue.Timestamp(1000) },
        { "83 ffffffffffffffff", AmqpValue.Timestamp(-1) },
        { "98 00112233445566778899aabbccddeeff", AmqpValue.Uuid(new Guid("00112233-4455-6677-8899-aabbccddeeff")) },
        { "a0 00", AmqpValue.Binary([]) },
        { "a0 03 010203", AmqpValue.Binary([1, 2, 3]) },
        { "a1 02 c3a9", AmqpValue.String("é") },
        { "a3 02 6162", AmqpValue.Symbol("ab") },
        { "45", AmqpValue.List() },
        { "c0 03 02 41 43", AmqpValue.List(true, 0u) },
        { "c1 01 00", AmqpValue.Map([]) },
        { "c1 05 02 a30161 43", AmqpValue.Map(new AmqpMap { { AmqpValue.Symbol("a"), 0u } }) },
        { "e0 06 02 a3 0161 0162", AmqpValue.Symbols("a", "b") },
        { "e0 0a 02 70 00000001 00000002", AmqpValue.Array(new AmqpArray(AmqpType.UInt, [1u, 2u])) },
        { "e0 04 02 56 01 00", AmqpValue.Array(new AmqpArray(AmqpType.Boolean, [true, false])) },
        { "e0 02 00 a3", AmqpValue.Symbols() },
        { "00 53 70 45", AmqpValue.Described(0x70, AmqpValue.List()) },
        { "00 a3 01 78 41", AmqpValue.Described(AmqpValue.Symbol("x"), true) },
        { "00 00 53 01 41 42", AmqpValue.Described(AmqpValue.Described(1, true), false) },
        {
            "e0 07 02 00 53 05 50 07 08",
            AmqpValue.Array(new AmqpArray(AmqpType.UByte, [AmqpValue.UByte(7), AmqpValue.UByte(8)], 5ul))
        },
        { "e0 0b 01 d0 00000005 00000001 41", AmqpValue.Array(new AmqpArray(AmqpType.List, [AmqpValue.List(true)])) },
        {
            "e0 0c 01 d1 00000006 00000002 4342",
            AmqpValue.Array(new AmqpArray(AmqpType.Map, [AmqpValue.Map(new AmqpMap { { 0u, false } })]))
        },
        {
            "e0 0c 01 f0 00000006 00000001 51 ff",
            AmqpValue.Array(new AmqpArray(AmqpType.Array, [AmqpValue.Array(new AmqpArray(AmqpType.Byte,
                [AmqpValue.Byte(-1)]))]))
        },
    };

    public static TheoryData<string, AmqpValue> Wider => new()
    {
        { "56 01", true },
        { "56 00", false },
        { "52 00", 0u },
        { "70 00000000", 0u },
        { "53 00", 0ul },
        { "80 0000000000000001", 1ul },
        { "71 ffffffff", -1 },
        { "81 ffffffffffffffff", -1L },
        { "b0 00000001 07", AmqpValue.Binary([7]) },
        { "b1 00000001 61", "a" },
        { "b3 00000001 61", AmqpValue.Symbol("a") },
        { "c0 01 00", AmqpValue.List() },
        { "d0 00000004 00000000", AmqpValue.List() },
        { "d0 00000005 00000001 40", AmqpValue.List(AmqpValue.Null) },
        { "d1 00000006 00000002 43 44", AmqpValue.Map(new AmqpMap { { 0u, 0ul } }) },
        { "f0 00000006 00000001 a3 00", AmqpValue.Symbols("") },
        { "f0 0000000a 00000001 b3 00000001 61", AmqpValue.Symbols("a") },
        { "e0 02 03 41", AmqpValue.Array(new AmqpArray(AmqpType.Boolean, [true, true, true])) },
        { "e0 02 02 40", AmqpValue.Array(new AmqpArray(AmqpType.Null, [AmqpValue.Null, AmqpValue.Null])) },
        { "e0 02 02 45", AmqpValue.Array(new AmqpArray(AmqpType.List, [AmqpValue.List(), AmqpValue.List()])) },
        { "e0 04 02 52 01 02", AmqpValue.Array(new AmqpArray(AmqpType.UInt, [1u, 2u])) },
        {
            "e0 07 02 c0 01 00 02 01 41",
            AmqpValue.Array(new AmqpArray(AmqpType.List, [AmqpValue.List(), AmqpValue.List(true)]))
        },
        { "00 80 0000000000000070 45", AmqpValue.Described(0x70, AmqpValue.List()) },
    };

    [Theory]
    [MemberData(nameof(Smallest))]
    public void Smallest_encoding_is_read_and_written(string hex, AmqpValue value)
    {
        byte[] bytes = Bytes.FromHex(hex);
        Assert.Equal(value, AmqpValue.FromEncoded(bytes));
        Assert.Equal(Bytes.Hex(bytes), Bytes.Hex(value.ToEncoded()));
    }

    [Theory]
    [MemberData(nameof(Wider))]
    public void Wider_encoding_is_read_too(string hex, AmqpValue value) =>
        Assert.Equal(value, AmqpValue.FromEncoded(Bytes.FromHex(hex)));

    [Theory]
    [MemberData(nameof(Smallest))]
    [MemberData(nameof(Wider))]
    public void Skip_and_scalar_take_exactly_the_value(string hex, AmqpValue value)
    {
        byte[] bytes = [.. Bytes.FromHex(hex), 0x41];
        AmqpReader skipping = new(bytes);
        skipping.Skip();
        Assert.True(skipping.ReadBoolean());
        Assert.True(skipping.AtEnd);

        AmqpReader looking = new(bytes);
        AmqpScalar scalar = looking.ReadScalar();
        Assert.Equal(value.Type, scalar.Type);
        Assert.Equal(value, scalar.ToValue());
        Assert.Equal(1, looking.Remaining);
    }

    [Fact]
    public void Sizes_of_255_and_256_take_the_right_form()
    {
        Assert.StartsWith("a0ff", Bytes.Hex(AmqpValue.Binary(new byte[255]).ToEncoded()));
        Assert.StartsWith("b000000100", Bytes.Hex(AmqpValue.Binary(new byte[256]).ToEncoded()));
        Assert.StartsWith("a1ff", Bytes.Hex(AmqpValue.String(new string('x', 255)).ToEncoded()));
        Assert.StartsWith("b100000100", Bytes.Hex(AmqpValue.String(new string('x', 256)).ToEncoded()));
        Assert.StartsWith("b100000100", Bytes.Hex(AmqpValue.String(new string('é', 128)).ToEncoded()));
        Assert.StartsWith("b300000100", Bytes.Hex(AmqpValue.Symbol(new string('x', 256)).ToEncoded()));

        AmqpValue[] nulls = new AmqpValue[254];
        Assert.StartsWith("c0fffe", Bytes.Hex(AmqpValue.List(nulls).ToEncoded()));
        Assert.StartsWith("d000000103000000ff", Bytes.Hex(AmqpValue.List(new AmqpValue[255]).ToEncoded()));
    }

    [Fact]
    public void Typed_reads_agree_with_typed_writes()
    {
        byte[] bytes = Bytes.Written(static (ref AmqpWriter writer) =>
        {
            writer.WriteBoolean(true);
            writer.WriteUByte(200);
            writer.WriteUShort(60000);
            writer.WriteByte(-7);
            writer.WriteShort(-300);
            writer.WriteInt(-70000);
            writer.WriteLong(-5_000_000_000);
            writer.WriteFloat(0.25f);
            writer.WriteDouble(-0.125);
            writer.WriteChar(new Rune('x'));
            writer.WriteTimestamp(1_700_000_000_000);
            writer.WriteUuid(new Guid("00112233-4455-6677-8899-aabbccddeeff"));
            writer.WriteDecimalBytes([1, 2, 3, 4, 5, 6, 7, 8]);
            writer.WriteString("grüße");
            writer.WriteSymbol("amqp:sym");
            writer.WriteSymbols(["a", new string('b', 300)]);
        });
        AmqpReader reader = new(bytes);
        Assert.True(reader.ReadBoolean());
        Assert.Equal(200, reader.ReadUByte());
        Assert.Equal(60000, reader.ReadUShort());
        Assert.Equal(-7, reader.ReadByte());
        Assert.Equal(-300, reader.ReadShort());
        Assert.Equal(-70000, reader.ReadInt());
        Assert.Equal(-5_000_000_000, reader.ReadLong());
        Assert.Equal(0.25f, reader.ReadFloat());
        Assert.Equal(-0.125, reader.ReadDouble());
        Assert.Equal(new Rune('x'), reader.ReadChar());
        Assert.Equal(1_700_000_000_000, reader.ReadTimestamp());
        Assert.Equal(new Guid("00112233-4455-6677-8899-aabbccddeeff"), reader.ReadUuid());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], reader.ReadDecimalBytes().ToArray());
        Assert.Equal("grüße", reader.ReadString());
        Assert.Equal("amqp:sym", reader.ReadSymbol());
        Assert.Equal(["a", new string('b', 300)], reader.ReadSymbols());
        Assert.True(reader.AtEnd);
    }

    [Fact]
    public void Random_values_survive_a_round_trip() => Bytes.ForSeeds(20_000, static (_, grammar) =>
    {
        AmqpValue value = grammar.Value();
        byte[] bytes = value.ToEncoded();
        Assert.Equal(value, AmqpValue.FromEncoded(bytes));
        AmqpReader reader = new(bytes);
        reader.Skip();
        Assert.True(reader.AtEnd);
    });

    [Fact]
    public void One_symbol_of_many_is_written_as_itself()
    {
        var writer = new AmqpWriter(new byte[16]);
        writer.WriteSymbols(["qd.router"]);
        Assert.Equal([0xA3, 9, .. "qd.router"u8], writer.Written.ToArray());
        AmqpReader reader = new(writer.Written);
        Assert.Equal(["qd.router"], reader.ReadSymbols());
        reader = new AmqpReader([0xE0, 4, 1, 0xA3, 1, (byte)'x']);
        Assert.Equal(["x"], reader.ReadSymbols());
    }
}
