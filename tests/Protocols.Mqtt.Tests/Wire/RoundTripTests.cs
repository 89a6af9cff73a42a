using System.Buffers;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Wire;

/// <summary>What is written is read as it was, at every split, and never longer or shorter.</summary>
public sealed class RoundTripTests
{
    [Fact]
    public void Every_packet_of_every_version_is_the_same_after_a_round_trip()
    {
        foreach (MqttVersion version in Packets.Versions)
        {
            foreach (byte[] packet in Packets.All(version))
            {
                Assert.Equal(Convert.ToHexString(packet), Convert.ToHexString(Packets.Again(packet, version)));
            }
        }
    }

    [Fact]
    public void A_header_is_read_when_it_is_whole_and_not_before()
    {
        foreach (int length in new[] { 0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, MqttReader.VarIntMax })
        {
            byte[] bytes = new byte[FixedHeader.BytesMax];
            var to = new MqttWriter(bytes);
            to.Header(PacketType.Publish, 0, length);
            for (int end = 0; end < to.Count; end++)
            {
                Assert.False(FixedHeader.TryRead(bytes.AsSpan(0, end), int.MaxValue, out _));
                Assert.False(FixedHeader.TryRead(Split(bytes[..end], end / 2), int.MaxValue, out _));
            }

            for (int at = 0; at <= to.Count; at++)
            {
                Assert.True(FixedHeader.TryRead(Split(bytes[..to.Count], at), int.MaxValue, out FixedHeader header));
                Assert.Equal((PacketType.Publish, length, to.Count), (header.Type, header.Length, header.HeaderBytes));
            }
        }
    }

    [Fact]
    public void A_packet_that_is_cut_anywhere_is_malformed()
    {
        foreach (MqttVersion version in Packets.Versions)
        {
            foreach (byte[] packet in Packets.All(version).Where(p => p[0] >> 4 is not (2 or 3 or 9 or 11)))
            {
                FixedHeader.TryRead(packet.AsSpan(), int.MaxValue, out FixedHeader header);
                for (int length = 0; length < header.Length; length++)
                {
                    byte[] cut = [packet[0], (byte)length, .. packet.AsSpan(header.HeaderBytes, length)];
                    byte[]? again = Try(cut, version);
                    Assert.True(
                        again is null || again.Length <= cut.Length + 2,
                        $"{Convert.ToHexString(cut)} became {Convert.ToHexString(again ?? [])}");
                }
            }
        }
    }

    [Fact]
    public void A_packet_longer_than_is_taken_is_refused_by_its_header()
    {
        byte[] header = [0x30, 0xFF, 0xFF, 0xFF, 0x7F];
        var refusal = Assert.Throws<MqttException>(() => FixedHeader.TryRead(header.AsSpan(), 1000, out _));
        Assert.Equal(ReasonCode.PacketTooLarge, refusal.Reason);
    }

    internal static byte[]? Try(byte[] packet, MqttVersion version)
    {
        try
        {
            return Packets.Again(packet, version);
        }
        catch (MqttException)
        {
            return null;
        }
    }

    private static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        var first = new Piece(bytes.AsMemory(0, at), 0);
        Piece last = first.Then(bytes.AsMemory(at));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Piece Then(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
