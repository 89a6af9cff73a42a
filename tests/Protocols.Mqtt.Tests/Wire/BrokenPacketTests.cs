using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Wire;

/// <summary>What the specification forbids, packet by packet, and the reason code that it names.</summary>
public sealed class BrokenPacketTests
{
    [Theory]
    [InlineData("0000", 0x81)] // type 0
    [InlineData("1100", 0x81)] // flags of CONNECT
    [InlineData("8000", 0x81)] // flags of SUBSCRIBE
    [InlineData("6000", 0x81)] // flags of PUBREL
    [InlineData("30FFFFFFFF01", 0x81)] // remaining length of five bytes
    [InlineData("308000", 0x81)] // remaining length longer than need be
    [InlineData("3600", 0x81)] // QoS 3
    [InlineData("3803000161", 0x81)] // DUP with QoS 0
    [InlineData("3003000000", 0x82)] // empty topic without alias (5.0: no properties)
    [InlineData("3006000223610061", 0x90)] // topic with a wildcard
    [InlineData("3206000161000000", 0x82)] // packet identifier 0
    [InlineData("30050001000061", 0x81)] // U+0000 in the topic
    [InlineData("30050001FF0061", 0x81)] // not UTF-8
    [InlineData("3007000161030105", 0x81)] // properties cut
    [InlineData("300700016102010261", 0x82)] // payload format neither 0 nor 1
    [InlineData("30080001610401010101", 0x82)] // a property twice
    [InlineData("30060001610221FF", 0x82)] // receive maximum in PUBLISH
    [InlineData("3006000161027F00", 0x81)] // no such property
    [InlineData("82020001", 0x81)] // SUBSCRIBE cut
    [InlineData("8203000100", 0x82)] // SUBSCRIBE without filters
    [InlineData("820700010000016103", 0x82)] // QoS 3
    [InlineData("820700010000016140", 0x81)] // reserved option bits
    [InlineData("820700010000016130", 0x82)] // retain handling 3
    [InlineData("82090001020B0000016100", 0x82)] // subscription identifier 0
    [InlineData("A2050001000000", 0x81)] // an empty filter
    [InlineData("A203000100", 0x82)] // UNSUBSCRIBE without filters
    [InlineData("40020000", 0x82)] // packet identifier 0
    [InlineData("E00100", 0)] // good: DISCONNECT normal
    [InlineData("F00101", 0x81)] // AUTH with a reason that is not its own
    [InlineData("C00100", 0x81)] // PINGREQ that is not empty
    [InlineData("10 0D 0004 4D515454 05 01 0000 00 0000", 0x81)] // reserved connect flag
    [InlineData("10 0D 0004 4D515454 05 18 0000 00 0000", 0x81)] // will QoS without will
    [InlineData("10 0D 0004 4D515454 06 02 0000 00 0000", 0x84)] // version 6
    [InlineData("10 0D 0004 4D515455 05 02 0000 00 0000", 0x81)] // another protocol
    [InlineData("10 10 0004 4D515454 05 02 0000 03 210000 0000", 0x82)] // receive maximum 0
    [InlineData("10 11 0004 4D515454 05 02 0000 04 160001 61 0000", 0x82)] // data without method
    public void A_broken_packet_is_refused_with_its_reason(string hex, int reason)
    {
        string digits = hex.Replace(" ", "", StringComparison.Ordinal);
        byte[] packet = Convert.FromHexString(digits);
        if (reason == 0)
        {
            Packets.Again(packet, MqttVersion.V5);
            return;
        }

        var refusal = Assert.Throws<MqttException>(() => Packets.Again(packet, MqttVersion.V5));
        Assert.Equal(reason, (int)refusal.Reason);
    }

    [Fact]
    public void Mutated_packets_are_read_as_something_or_refused()
    {
        var random = new Random(Seeds.Next());
        byte[][] corpus = [.. Packets.Versions.SelectMany(version => Packets.All(version))];
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] packet = [.. corpus[random.Next(corpus.Length)]];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
            {
                packet[random.Next(packet.Length)] = (byte)random.Next(256);
            }

            refused += RoundTripTests.Try(packet, Packets.Versions[random.Next(3)]) is null ? 1 : 0;
        }

        Assert.InRange(refused, 1000, 19_999);
    }
}
