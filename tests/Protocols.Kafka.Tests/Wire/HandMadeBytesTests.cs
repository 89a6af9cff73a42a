using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Tests.Wire;

/// <summary>Messages against bytes that were put together by hand from the protocol's tables.</summary>
public sealed class HandMadeBytesTests
{
    [Fact]
    public void ApiVersions_answer_version_0_has_plain_lengths()
    {
        var answer = new ApiVersionsResponse
        {
            ErrorCode = 35,
            ApiKeys = [new() { ApiKey = 18, MinVersion = 0, MaxVersion = 3 }],
        };
        Assert.Equal("0023 00000001 0012 0000 0003", Hex(MessageTypes.Write(answer, 0), 2, 4, 2, 2, 2));
    }

    [Fact]
    public void ApiVersions_answer_version_3_has_compact_lengths_and_tags()
    {
        var answer = new ApiVersionsResponse
        {
            ApiKeys = [new() { ApiKey = 0, MinVersion = 0, MaxVersion = 13 }],
            ThrottleTimeMs = 7,
            FinalizedFeaturesEpoch = 5,
        };
        Assert.Equal(
            "0000 02 0000 0000 000d 00 00000007 01 01 08 0000000000000005",
            Hex(MessageTypes.Write(answer, 3), 2, 1, 2, 2, 2, 1, 4, 1, 1, 1, 8));
    }

    [Fact]
    public void Metadata_request_version_1_tells_null_from_empty()
    {
        Assert.Equal("ffffffff", Hex(MessageTypes.Write(new MetadataRequest { Topics = null }, 1), 4));
        Assert.Equal("00000000", Hex(MessageTypes.Write(new MetadataRequest { Topics = [] }, 1), 4));
        var read = (MetadataRequest)MessageTypes.Read(typeof(MetadataRequest), [0xff, 0xff, 0xff, 0xff], 1);
        Assert.Null(read.Topics);
    }

    [Fact]
    public void Produce_request_version_9_gives_a_view_of_the_records()
    {
        byte[] frame =
        [
            0x00, 0xff, 0xff, 0x00, 0x00, 0x75, 0x30, 0x02, 0x02, (byte)'t', 0x02, 0x00, 0x00, 0x00, 0x05,
            0x04, 0xaa, 0xbb, 0xcc, 0x00, 0x00, 0x00,
        ];
        var reader = new KafkaReader(frame);
        ProduceRequest request = ProduceRequest.Read(ref reader, 9);
        reader.End();
        Assert.Null(request.TransactionalId);
        Assert.Equal(-1, request.Acks);
        Assert.Equal(30_000, request.TimeoutMs);
        ProduceRequest.PartitionProduceData partition = request.TopicData[0].PartitionData[0];
        Assert.Equal(("t", 5), (request.TopicData[0].Name, partition.Index));
        frame[16] = 0xdd;
        Assert.Equal([0xdd, 0xbb, 0xcc], partition.Records.Memory.ToArray());
    }

    [Fact]
    public void A_tagged_field_that_nobody_knows_is_skipped()
    {
        // software name "a", version "b", one tagged field 99 of three bytes
        byte[] body = [0x02, (byte)'a', 0x02, (byte)'b', 0x01, 99, 0x03, 1, 2, 3];
        var read = (ApiVersionsRequest)MessageTypes.Read(typeof(ApiVersionsRequest), body, 3);
        Assert.Equal(("a", "b"), (read.ClientSoftwareName, read.ClientSoftwareVersion));
    }

    [Theory]
    [InlineData("7fffffff")]
    [InlineData("80000000")]
    public void An_array_that_claims_too_much_takes_no_memory(string count)
    {
        byte[] body = [.. Convert.FromHexString(count), 0, 1, (byte)'t'];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<KafkaException>(() => MessageTypes.Read(typeof(MetadataRequest), body, 0));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 10);
    }

    [Fact]
    public void A_varint_of_six_bytes_is_a_protocol_error()
    {
        byte[] body = [0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        Assert.Throws<KafkaException>(() => MessageTypes.Read(typeof(ApiVersionsRequest), body, 3));
    }

    // Hexadecimal digits in groups of so many bytes.
    private static string Hex(byte[] bytes, params int[] groups)
    {
        var parts = new List<string>();
        int from = 0;
        foreach (int group in groups)
        {
            parts.Add(Convert.ToHexStringLower(bytes, from, group));
            from += group;
        }

        Assert.Equal(bytes.Length, from);
        return string.Join(' ', parts);
    }
}
