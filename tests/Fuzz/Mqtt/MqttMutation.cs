namespace Pillarbox.Fuzz.Mqtt;

/// <summary>Ways to break a packet: bytes changed, cut out, put in, doubled; its length mended most of the
/// time.</summary>
internal static class MqttMutation
{
    private static readonly byte[] Telling = [0, 1, 2, 0x0B, 0x11, 0x21, 0x23, 0x26, 0x7F, 0x80, 0xC0, 0xFF];

    public static byte[] Of(byte[] packet, Random random)
    {
        var bytes = new List<byte>(packet);
        for (int changes = random.Next(0, 4); changes > 0 && bytes.Count > 2; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] = Telling[random.Next(Telling.Length)];
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 4), bytes.Count - at));
                    break;
                case 3:
                    bytes.Insert(at, Telling[random.Next(Telling.Length)]);
                    break;
                case 4:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    int count = Math.Min(random.Next(1, 9), bytes.Count - at);
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, count));
                    break;
            }
        }

        // Most packets here have a length of one byte; with a right one more is read of what lies behind.
        if (random.Next(8) != 0 && bytes.Count is > 2 and < 130)
        {
            bytes[1] = (byte)(bytes.Count - 2);
        }

        return [.. bytes];
    }
}
