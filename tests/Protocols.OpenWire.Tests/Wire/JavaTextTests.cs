using System.Text;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire.Tests.Wire;

public sealed class JavaTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("abc", "616263")]
    [InlineData("\0", "C080")]
    [InlineData("ä", "C3A4")]
    [InlineData("€", "E282AC")]
    [InlineData("\ud83d\ude00", "EDA0BDEDB880")]
    public void Text_is_javas_modified_utf8(string text, string hex)
    {
        Assert.Equal(hex, Convert.ToHexString(JavaText.Encode(text)));
        Assert.Equal(text, JavaText.Decode(Convert.FromHexString(hex)));
    }

    [Theory]
    [InlineData("C3")]
    [InlineData("E282")]
    [InlineData("80")]
    [InlineData("FF41")]
    public void What_is_no_text_becomes_a_replacement(string hex) =>
        Assert.StartsWith("\uFFFD", JavaText.Decode(Convert.FromHexString(hex)), StringComparison.Ordinal);

    [Fact]
    public void Standard_utf8_and_back()
    {
        byte[] utf8 = Encoding.UTF8.GetBytes("a\0ä\ud83d\ude00z");
        ReadOnlyMemory<byte> modified = JavaText.FromUtf8(utf8);
        Assert.Equal("61C080C3A4EDA0BDEDB8807A", Convert.ToHexString(modified.Span));
        Assert.Equal(utf8, JavaText.ToUtf8(modified).ToArray());
    }
}
