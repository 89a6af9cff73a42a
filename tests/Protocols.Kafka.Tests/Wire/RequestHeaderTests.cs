using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka.Tests.Wire;

/// <summary>The header in front of every request.</summary>
public sealed class RequestHeaderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_client_id_has_a_two_byte_length_even_before_a_flexible_body(bool isFlexible)
    {
        using var writer = new KafkaWriter();
        var header = new RequestHeader(ApiKey.Metadata, 9, 77, "me");
        header.Write(writer, isFlexible);
        string tags = isFlexible ? "00" : "";
        string written = Convert.ToHexStringLower(writer.Written.Span);
        Assert.Equal("0003" + "0009" + "0000004d" + "0002" + "6d65" + tags, written);

        var reader = new KafkaReader(writer.Written);
        RequestHeader start = RequestHeader.ReadFixed(ref reader);
        Assert.Equal(RequestHeader.FixedBytes, reader.Position);
        Assert.Equal(header, start.ReadRest(ref reader, isFlexible));
        reader.End();
    }
}
