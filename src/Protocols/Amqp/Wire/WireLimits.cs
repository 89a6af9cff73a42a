namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Bounds of the codec. What lies beyond them is refused with a decode or framing error.</summary>
public static class WireLimits
{
    /// <summary>How deep lists, maps, arrays and described values may nest.</summary>
    public const int DepthMax = 32;

    /// <summary>
    /// How many elements an array of a zero-width constructor (null, true, uint0, list0...) may declare. Such elements
    /// take no bytes, so the bytes there do not bound them.
    /// </summary>
    public const int ZeroWidthElementsMax = 256;

    /// <summary>The smallest max-frame-size a peer may be held to (part 2 section 2.7.1: MIN-MAX-FRAME-SIZE).</summary>
    public const int FrameBytesMin = 512;
}
