using System.Buffers;
using System.Text;
using Pillarbox.Protocols.Stomp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Wire;

public sealed class FrameReaderTests
{
    private static readonly FrameLimits Limits = new(200, 8, 64, 1000);

    /// <summary>Streams of frames, and what is in them: head, body, …</summary>
    public static TheoryData<string, string[]> Streams => new()
    {
        {
            "\n\r\nSEND\ndestination:a\n\nhello\0\n\nACK\nid:1\n\n\0",
            ["SEND\ndestination:a\n", "hello", "ACK\nid:1\n", ""]
        },
        { "SEND\r\ndestination:a\r\n\r\nhello\0", ["SEND\r\ndestination:a\r\n", "hello"] },
        {
            "SEND\ndestination:a\ncontent-length:5\n\nh\0l\0o\0",
            ["SEND\ndestination:a\ncontent-length:5\n", "h\0l\0o"]
        },
        { "DISCONNECT\n\n\0\r\n", ["DISCONNECT\n", ""] },
        { "SEND\na:\n\n\0", ["SEND\na:\n", ""] },
        { "SEND\na:1\n\n" + new string('x', 64) + "\0", ["SEND\na:1\n", new string('x', 64)] },
        { "SEND\na:1\n\n" + new string('x', 300) + "\0ACK\n\n\0", ["SEND\na:1\n", new string('x', 300), "ACK\n", ""] },
        {
            "SEND\ncontent-length:300\n\n" + new string('\0', 300) + "\0",
            ["SEND\ncontent-length:300\n", new string('\0', 300)]
        },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void Frames_are_the_same_at_every_split_point(string text, string[] expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int at = 0; at <= bytes.Length; at++)
        {
            Assert.Equal(expected, Read(bytes[..at], bytes[at..]));
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Frames_are_the_same_byte_by_byte(string text, string[] expected) =>
        Assert.Equal(expected, Read([.. Encoding.UTF8.GetBytes(text).Select(b => new[] { b })]));

    [Theory]
    [MemberData(nameof(Streams))]
    public void Frames_are_the_same_over_segments_of_any_size(string text, string[] expected)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int size = 1; size < 20; size++)
        {
            Assert.Equal(expected, ReadWhole(Segments.Of(bytes, size)));
        }
    }

    [Theory]
    [InlineData("SEND\ncontent-length:x\n\n\0")]
    [InlineData("SEND\ncontent-length:-1\n\n\0")]
    [InlineData("SEND\ncontent-length:99999999999999999999\n\n\0")]
    [InlineData("SEND\ncontent-length:1001\n\n")]
    [InlineData("SEND\ncontent-length:2\n\nabc\0")]
    [InlineData("SEND\na:b\0c\n\n\0")]
    [InlineData("SEND\na:b\n\0")]
    [InlineData("SEND\na:1\na:2\na:3\na:4\na:5\na:6\na:7\na:8\na:9\n\n\0")]
    public void What_cannot_be_is_refused(string text) =>
        Assert.Throws<StompException>(() => Read(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_NUL_in_a_head_is_seen_when_it_comes()
    {
        byte[] bytes = "SEND\na:b\n\0"u8.ToArray();
        for (int at = 0; at < bytes.Length; at++)
        {
            Assert.Empty(Read(bytes[..at]));
            Assert.Throws<StompException>(() => Read(bytes[..at], bytes[at..]));
        }
    }

    [Fact]
    public void A_head_that_does_not_end_is_refused_at_its_bound() =>
        Assert.Throws<StompException>(() => Read(Encoding.UTF8.GetBytes("SEND\na:" + new string('x', 200))));

    [Fact]
    public void A_body_that_does_not_end_is_refused_at_its_bound() =>
        Assert.Throws<StompException>(() => Read(Encoding.UTF8.GetBytes("SEND\n\n" + new string('x', 1001))));

    [Fact]
    public void A_body_of_the_largest_size_is_taken()
    {
        string body = new('x', 1000);
        Assert.Equal(["SEND\n", body], Read(Encoding.UTF8.GetBytes("SEND\n\n" + body + "\0")));
    }

    // As a connection does it: what is not taken stays, and more is added.
    private static List<string> Read(params byte[][] pieces)
    {
        var reader = new FrameReader(Limits);
        List<string> found = [];
        byte[] rest = [];
        StringBuilder? large = null;
        foreach (byte[] piece in pieces)
        {
            rest = [.. rest, .. piece];
            var input = new ReadOnlySequence<byte>(rest);
            Take(reader, ref input, found, ref large);
            rest = input.ToArray();
        }

        return found;
    }

    private static List<string> ReadWhole(ReadOnlySequence<byte> input)
    {
        List<string> found = [];
        StringBuilder? large = null;
        Take(new FrameReader(Limits), ref input, found, ref large);
        return found;
    }

    private static void Take(
        FrameReader reader, ref ReadOnlySequence<byte> input, List<string> found, ref StringBuilder? large)
    {
        while (true)
        {
            if (large is not null)
            {
                if (input.IsEmpty)
                {
                    return;
                }

                bool isLast = reader.TakePiece(ref input, out ReadOnlySequence<byte> piece);
                large.Append(Encoding.UTF8.GetString(piece));
                if (!isLast)
                {
                    continue;
                }

                found.Add(large.ToString());
                large = null;
            }

            FrameState state = reader.Peek(ref input, out ReadOnlySequence<byte> head, out ReadOnlySequence<byte> body);
            if (state == FrameState.NeedMore)
            {
                return;
            }

            found.Add(Encoding.UTF8.GetString(head));
            large = state == FrameState.Large ? new StringBuilder() : null;
            if (large is null)
            {
                found.Add(Encoding.UTF8.GetString(body));
            }

            reader.Take(ref input);
        }
    }
}
