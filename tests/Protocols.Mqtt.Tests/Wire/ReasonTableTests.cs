using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Tests.Wire;

/// <summary>MQTT-3.2.2-8, 3.4.2-1, 3.5.2-1, 3.6.2-1, 3.7.2-1, 3.9.3-2, 3.11.3-2, 3.14.2-1: the tables of the
/// specification.</summary>
public sealed class ReasonTableTests
{
    public static TheoryData<int, string> Tables => new()
    {
        { 2, "80 81 82 83 84 85 86 87 88 89 8A 8C 90 95 97 99 9A 9B 9C 9D 9F" },
        { 4, "80 83 87 90 91 97 99" },
        { 5, "80 83 87 90 91 97 99" },
        { 6, "92" },
        { 7, "92" },
        { 9, "80 83 87 8F 91 97 9E A1 A2" },
        { 11, "80 83 87 8F 91" },
        { 14, "80 81 82 83 87 89 8B 8D 8E 8F 90 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0 A1 A2" },
    };

    [Theory]
    [MemberData(nameof(Tables))]
    public void A_packet_says_no_reason_that_is_not_in_its_table(int type, string table)
    {
        int[] allowed = [.. table.Split(' ').Select(code => Convert.ToInt32(code, 16))];
        IEnumerable<int> said = Enum.GetValues<ReasonCode>().Where(code => (int)code >= 0x80
            && ReasonTable.Allows((PacketType)type, code)).Select(code => (int)code);
        Assert.Equal(allowed, said);
    }

    [Theory]
    [InlineData(4, 0x98, 0x83)]
    [InlineData(9, 0x89, 0x83)]
    [InlineData(14, 0x88, 0x83)]
    [InlineData(2, 0x8B, 0x88)]
    [InlineData(4, 0x97, 0x97)]
    [InlineData(4, 0x10, 0x10)]
    public void The_nearest_reason_is_said(int type, int reason, int said) =>
        Assert.Equal((ReasonCode)said, ReasonTable.For((PacketType)type, (ReasonCode)reason));
}
