using System.Text;
using Pillarbox.Protocols.Stomp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Stomp.Tests.Wire;

public sealed class HeaderTextTests
{
    [Theory]
    [InlineData("1.0", "a\\nb:c", "a\\nb:c")]
    [InlineData("1.1", "a\\nb\\cc\\\\d", "a\nb:c\\d")]
    [InlineData("1.2", "a\\r\\nb", "a\r\nb")]
    [InlineData("1.2", "héllo:x", "héllo:x")]
    public void Text_is_read_by_the_rules_of_its_version(string version, string raw, string text)
    {
        StompVersion of = StompVersions.Negotiate(version)!.Value;
        Assert.Equal(text, HeaderText.Decode(Encoding.UTF8.GetBytes(raw), of));
        ByteBuilder canonical = default;
        HeaderText.AppendCanonical(ref canonical, Encoding.UTF8.GetBytes(raw), of);
        Assert.Equal(text, Encoding.UTF8.GetString(HeaderText.Plain(canonical.Span)));
    }

    [Theory]
    [InlineData("1.1", "\\t")]
    [InlineData("1.1", "\\r")]
    [InlineData("1.2", "\\t")]
    [InlineData("1.2", "a\\")]
    public void An_unknown_escape_is_an_error(string version, string raw)
    {
        StompVersion of = StompVersions.Negotiate(version)!.Value;
        Assert.Throws<StompException>(() => HeaderText.Decode(Encoding.UTF8.GetBytes(raw), of));
        Assert.Throws<StompException>(() =>
        {
            ByteBuilder canonical = default;
            HeaderText.AppendCanonical(ref canonical, Encoding.UTF8.GetBytes(raw), of);
        });
    }

    [Fact]
    public void What_is_not_utf8_is_an_error() =>
        Assert.Throws<StompException>(() => HeaderText.Decode([0xff, 0xfe], StompVersion.V12));

    [Theory]
    [InlineData("a\nb:c\\d\re", "1.2", "a\\nb\\cc\\\\d\\re")]
    [InlineData("a\nb:c\\d\re", "1.1", "a\\nb\\cc\\\\d\re")]
    [InlineData("a\nb:c\\d\re", "1.0", "a b:c\\d e")]
    public void Text_is_written_by_the_rules_of_the_readers_version(string text, string version, string raw)
    {
        ByteBuilder canonical = default;
        HeaderText.AppendEscaped(ref canonical, Encoding.UTF8.GetBytes(text));
        ByteBuilder output = default;
        HeaderText.AppendFor(ref output, canonical.Span, StompVersions.Negotiate(version)!.Value);
        Assert.Equal(raw, Encoding.UTF8.GetString(output.Span));
    }

    [Theory]
    [InlineData(null, "1.0")]
    [InlineData("1.0,1.1", "1.1")]
    [InlineData("1.2,1.0", "1.2")]
    [InlineData(" 1.1 , 2.0", "1.1")]
    [InlineData("2.0", null)]
    [InlineData("", null)]
    public void The_newest_common_version_is_chosen(string? offered, string? chosen) =>
        Assert.Equal(chosen, StompVersions.Negotiate(offered) is { } version ? StompVersions.NameOf(version) : null);

    [Fact]
    public void Of_repeated_headers_the_first_counts()
    {
        var head = new FrameHead("SEND\na:1\na:2\nb:3\n"u8, StompVersion.V12);
        Assert.Equal("1", head.Text("a"u8, StompVersion.V12));
        Assert.Null(head.Text("c"u8, StompVersion.V12));
        Assert.Equal(StompCommand.Send, head.Command);
    }

    [Fact]
    public void A_line_without_a_colon_is_an_error() => Assert.Throws<StompException>(() =>
        new FrameHead("SEND\nabc\n"u8, StompVersion.V12).Text("a"u8, StompVersion.V12));
}
