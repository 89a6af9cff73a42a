using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Wire;

/// <summary>
/// Part 2 section 2.3: frames are found however the bytes are split, and bad headers are refused early.
/// </summary>
public sealed class FrameTests
{
    private const uint Max = 1 << 16;

    [Fact]
    public void Frames_are_found_at_every_split_and_every_length()
    {
        byte[] stream = [.. Frame(FrameType.Amqp, 3, 5), .. Frames.Heartbeat, .. Frame(FrameType.Sasl, 0, 0),
            .. Frame(FrameType.Amqp, 9, 300)];
        for (int there = 0; there <= stream.Length; there++)
        {
            byte[] part = stream[..there];
            string expected = Describe(new ReadOnlySequence<byte>(part), out long restExpected);
            for (int split = 0; split <= part.Length; split++)
            {
                Assert.Equal(expected, Describe(Bytes.Split(part, split), out long rest));
                Assert.Equal(restExpected, rest);
            }
        }
        Assert.Equal("Amqp/3/5 Amqp/0/0 Sasl/0/0 Amqp/9/300 ", Describe(new ReadOnlySequence<byte>(stream),
            out long end));
        Assert.Equal(0, end);
    }

    [Fact]
    public void An_unfinished_frame_takes_nothing()
    {
        byte[] frame = Frame(FrameType.Amqp, 1, 40);
        ReadOnlySequence<byte> input = new(frame.AsMemory(0, frame.Length - 1));
        Assert.False(Frames.TryReadFrame(ref input, Max, out _, out _));
        Assert.Equal(frame.Length - 1, input.Length);
        Assert.False(Frames.TryReadFrame(frame.AsSpan(0, frame.Length - 1), Max, out _, out ReadOnlySpan<byte> _));
    }

    [Fact]
    public void Span_and_sequence_agree()
    {
        byte[] frame = Frame(FrameType.Amqp, 77, 40);
        Assert.True(Frames.TryReadFrame(frame, Max, out FrameHeader header, out ReadOnlySpan<byte> body));
        Assert.Equal((48u, 77, 40), (header.Size, header.Channel, body.Length));
        Assert.Equal(frame[8..], body.ToArray());
    }

    [Fact]
    public void Extended_header_is_stepped_over()
    {
        ReadOnlySequence<byte> input = new(Bytes.FromHex("00000011 04 00 0007 eeeeeeee eeeeeeee 45"));
        Assert.True(Frames.TryReadFrame(ref input, Max, out FrameHeader header, out ReadOnlySequence<byte> body));
        Assert.Equal(1, header.BodyBytes);
        Assert.Equal("45", Bytes.Hex(body.ToArray()));
    }

    [Theory]
    [InlineData("00000007 02 00 0000", "shorter than its header")]
    [InlineData("00000000 02 00 0000", "of no size")]
    [InlineData("00010001 02 00 0000", "one byte over the limit")]
    [InlineData("ffffffff 02 00 0000", "of four gigabytes")]
    [InlineData("00000010 01 00 0000", "a body within the header")]
    [InlineData("00000010 00 00 0000", "no data offset")]
    [InlineData("00000010 05 00 0000", "a body behind the frame")]
    [InlineData("00000010 02 02 0000", "an unknown type")]
    public void A_bad_header_is_a_framing_error_before_the_body_comes(string hex, string because)
    {
        byte[] bytes = Bytes.FromHex(hex);
        for (int split = 0; split <= bytes.Length; split++)
        {
            ReadOnlySequence<byte> input = Bytes.Split(bytes, split);
            AmqpException? error = Record.Exception(() =>
                Frames.TryReadFrame(ref input, Max, out _, out _)) as AmqpException;
            Assert.True(error?.Condition == AmqpErrorCondition.ConnectionFramingError, because);
        }
    }

    [Fact]
    public void Seven_bytes_of_a_bad_header_are_not_judged_yet()
    {
        ReadOnlySequence<byte> input = new(Bytes.FromHex("ffffffff 00 09 00"));
        Assert.False(Frames.TryReadFrame(ref input, Max, out _, out _));
    }

    [Fact]
    public void A_limit_of_four_gigabytes_does_not_overflow()
    {
        ReadOnlySequence<byte> input = new(Bytes.FromHex("ffffffff 02 00 0000"));
        Assert.Throws<AmqpException>(() => Frames.TryReadFrame(ref input, uint.MaxValue, out _, out _));
        input = new(Bytes.FromHex("7fffffff 02 00 0000"));
        Assert.False(Frames.TryReadFrame(ref input, uint.MaxValue, out FrameHeader header, out _));
        Assert.Equal(int.MaxValue - 8, header.BodyBytes);
    }

    [Fact]
    public void A_frame_may_leave_room_for_its_payload()
    {
        byte[] bytes = Bytes.Written(static (ref AmqpWriter writer) =>
        {
            int mark = writer.BeginFrame(FrameType.Amqp, 0x1234);
            writer.WriteBoolean(true);
            writer.EndFrame(mark, payloadBytes: 100);
        });
        Assert.Equal("0000006d 02 00 1234 41".Replace(" ", ""), Bytes.Hex(bytes));
    }

    [Fact]
    public void Protocol_headers_are_known_at_every_split()
    {
        foreach (ProtocolId id in Enum.GetValues<ProtocolId>())
        {
            ArrayBufferWriter<byte> output = new();
            new ProtocolHeader(id).Write(output);
            byte[] bytes = [.. output.WrittenSpan, 0xaa];
            for (int split = 0; split <= bytes.Length; split++)
            {
                ReadOnlySequence<byte> input = Bytes.Split(bytes, split);
                Assert.Equal(HeaderMatch.Found, ProtocolHeader.TryRead(ref input, out ProtocolHeader header));
                Assert.Equal(new ProtocolHeader(id, 1, 0, 0), header);
                Assert.True(header.IsSupported);
                Assert.Equal(1, input.Length);
                if (split < ProtocolHeader.Bytes)
                {
                    ReadOnlySequence<byte> part = new(bytes.AsMemory(0, split));
                    Assert.Equal(HeaderMatch.NeedMore, ProtocolHeader.TryRead(ref part, out _));
                    Assert.Equal(split, part.Length);
                }
            }
        }
        Assert.Equal("414d515000010000", Bytes.Hex(ProtocolHeader.Amqp));
        Assert.Equal("414d515002010000", Bytes.Hex(ProtocolHeader.Tls));
        Assert.Equal("414d515003010000", Bytes.Hex(ProtocolHeader.Sasl));
    }

    [Theory]
    [InlineData("42", HeaderMatch.Foreign, false)]
    [InlineData("414d5151", HeaderMatch.Foreign, false)]
    [InlineData("474554202f20485454502f", HeaderMatch.Foreign, false)]
    [InlineData("414d5150 00 00 09 01", HeaderMatch.Found, false)]
    [InlineData("414d5150 01 01 00 00", HeaderMatch.Found, false)]
    [InlineData("414d5150 00 01 01 00", HeaderMatch.Found, false)]
    [InlineData("414d5150 03 01 00 00", HeaderMatch.Found, true)]
    public void Foreign_protocols_and_versions_are_told_apart(string hex, HeaderMatch match, bool supported)
    {
        ReadOnlySequence<byte> input = new(Bytes.FromHex(hex));
        Assert.Equal(match, ProtocolHeader.TryRead(ref input, out ProtocolHeader header));
        Assert.Equal(supported, header.IsSupported);
    }

    private static byte[] Frame(FrameType type, ushort channel, int bodyBytes) =>
        Bytes.Written((ref AmqpWriter writer) =>
    {
        int mark = writer.BeginFrame(type, channel);
        writer.WriteRaw(new byte[bodyBytes]);
        writer.EndFrame(mark);
    });

    private static string Describe(ReadOnlySequence<byte> input, out long rest)
    {
        string text = "";
        while (Frames.TryReadFrame(ref input, Max, out FrameHeader header, out ReadOnlySequence<byte> body))
        {
            Assert.Equal(header.BodyBytes, body.Length);
            text += $"{header.Type}/{header.Channel}/{body.Length} ";
        }
        rest = input.Length;
        return text;
    }
}
