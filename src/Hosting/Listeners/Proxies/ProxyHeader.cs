using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Pillarbox.Hosting.Listeners.Proxies;

/// <summary>What the first bytes of a connection say about a PROXY header.</summary>
internal enum ProxyMatch
{
    /// <summary>They are none.</summary>
    No,

    /// <summary>More bytes will tell.</summary>
    NotYet,

    /// <summary>There it is.</summary>
    Yes,
}

/// <summary>
/// The PROXY protocol's header, versions 1 (a line) and 2 (binary), by which a proxy says whose connection it hands on.
/// Pure.
/// <code>
/// v1: PROXY TCP4|TCP6 source destination sport dport CR LF, or PROXY UNKNOWN … CR LF; at most 107 bytes
/// v2: signature(12) version+command(1) family(1) length(2) addresses … TLVs
/// </code>
/// </summary>
/// <param name="Source">Who connected to the proxy; null: the proxy itself did (LOCAL), or it does not say.</param>
/// <param name="Destination">Where to; null likewise.</param>
/// <param name="Bytes">The header's length.</param>
internal readonly record struct ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination, int Bytes)
{
    /// <summary>Most bytes that are looked at: of version 2's addresses and TLVs 2 KiB.</summary>
    public const int BytesMax = FixedBytes + 2048;

    private const int LineBytesMax = 107;
    private const int FixedBytes = 16;
    private const byte Tcp4 = 0x11;
    private const byte Tcp6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Reads a header off the first bytes of a connection.</summary>
    public static ProxyMatch TryRead(ReadOnlySpan<byte> first, out ProxyHeader header)
    {
        header = default;
        if (Begins(first, "PROXY "u8) is var line && line != ProxyMatch.No)
        {
            return line == ProxyMatch.NotYet ? line : ReadLine(first, out header);
        }

        ProxyMatch binary = Begins(first, Signature);
        return binary == ProxyMatch.Yes ? ReadBinary(first, out header) : binary;
    }

    private static ProxyMatch Begins(ReadOnlySpan<byte> first, ReadOnlySpan<byte> with) =>
        first.Length >= with.Length
            ? first.StartsWith(with) ? ProxyMatch.Yes : ProxyMatch.No
            : with.StartsWith(first) ? ProxyMatch.NotYet : ProxyMatch.No;

    private static ProxyMatch ReadLine(ReadOnlySpan<byte> first, out ProxyHeader header)
    {
        header = default;
        int end = first[..Math.Min(first.Length, LineBytesMax)].IndexOf("\r\n"u8);
        if (end < 0)
        {
            return first.Length < LineBytesMax ? ProxyMatch.NotYet : ProxyMatch.No;
        }

        int bytes = end + 2;
        string[] words = Encoding.Latin1.GetString(first[..end]).Split(' ');
        if (words[1] == "UNKNOWN")
        {
            header = new ProxyHeader(null, null, bytes);
            return ProxyMatch.Yes;
        }

        bool good = words.Length == 6 && words[1] is "TCP4" or "TCP6";
        if (!good || !TryEndPoint(words[2], words[4], words[1], out IPEndPoint? source)
            || !TryEndPoint(words[3], words[5], words[1], out IPEndPoint? destination))
        {
            return ProxyMatch.No;
        }

        header = new ProxyHeader(source, destination, bytes);
        return ProxyMatch.Yes;
    }

    private static bool TryEndPoint(string address, string port, string family, out IPEndPoint? endPoint)
    {
        endPoint = null;
        bool isV6 = family == "TCP6";
        if (!IPAddress.TryParse(address, out IPAddress? parsed) || address.Contains(':') != isV6
            || !ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
        {
            return false;
        }

        endPoint = new IPEndPoint(parsed, number);
        return true;
    }

    private static ProxyMatch ReadBinary(ReadOnlySpan<byte> first, out ProxyHeader header)
    {
        header = default;
        if (first.Length < FixedBytes)
        {
            return ProxyMatch.NotYet;
        }

        int bytes = FixedBytes + BinaryPrimitives.ReadUInt16BigEndian(first[14..]);
        bool isLocal = first[12] == 0x20;
        if ((!isLocal && first[12] != 0x21) || bytes > BytesMax)
        {
            return ProxyMatch.No;
        }

        if (first.Length < bytes)
        {
            return ProxyMatch.NotYet;
        }

        ReadOnlySpan<byte> addresses = first[FixedBytes..bytes];
        int addressBytes = isLocal ? 0 : first[13] switch { Tcp4 => 4, Tcp6 => 16, _ => 0 };
        if (addresses.Length < (addressBytes * 2) + (addressBytes == 0 ? 0 : 4))
        {
            return ProxyMatch.No;
        }

        header = addressBytes == 0
            ? new ProxyHeader(null, null, bytes)
            : new ProxyHeader(EndPoint(addresses, 0, addressBytes), EndPoint(addresses, 1, addressBytes), bytes);
        return ProxyMatch.Yes;
    }

    private static IPEndPoint EndPoint(ReadOnlySpan<byte> addresses, int index, int addressBytes) => new(
        new IPAddress(addresses.Slice(index * addressBytes, addressBytes)),
        BinaryPrimitives.ReadUInt16BigEndian(addresses[((addressBytes * 2) + (index * 2))..]));
}
