namespace Pillarbox.Protocols.Amqp;

/// <summary>
/// RFC 1982 arithmetic of 32-bit sequence numbers (part 2 section 2.8.10): comparison survives the wrap.
/// </summary>
internal static class SerialNumber
{
    /// <summary>
    /// How far <paramref name="from"/> must go to reach <paramref name="to"/>; negative when it is ahead of it.
    /// </summary>
    public static int Distance(uint from, uint to) => unchecked((int)(to - from));

    /// <summary>Whether <paramref name="left"/> comes before <paramref name="right"/>.</summary>
    public static bool IsBefore(uint left, uint right) => Distance(left, right) > 0;
}
