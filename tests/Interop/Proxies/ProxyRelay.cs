using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Pillarbox.Interop.Tests.Proxies;

/// <summary>
/// A proxy on a free port of this machine: it hands each connection on to a listener, with a PROXY header in front that
/// says whose it is. What it says is made up, so that it can be told from the proxy's own address: the client's
/// address is as it was told, the port counts connections.
/// </summary>
internal sealed class ProxyRelay : LoopbackRelay
{
    private static readonly IPEndPoint Destination4 = new(IPAddress.Parse("198.51.100.2"), 61616);
    private static readonly IPEndPoint Destination6 = new(IPAddress.Parse("2001:db8::2"), 61616);

    private int _clientPort = 1000;

    /// <summary>Where connections are handed on to.</summary>
    public IPEndPoint Target { get; set; } = new(IPAddress.Loopback, 0);

    /// <summary>The header's version, 1 or 2.</summary>
    public int Version { get; set; } = 1;

    /// <summary>The address that clients are said to have.</summary>
    public IPAddress Client { get; set; } = IPAddress.Parse("192.0.2.1");

    /// <inheritdoc/>
    protected override async Task CarryAsync(TcpClient near, CancellationToken stop)
    {
        using var far = new TcpClient();
        await far.ConnectAsync(Target, stop);
        await far.GetStream().WriteAsync(Header(), stop);
        // When one side has ended, so has the connection.
        await Task.WhenAny(
            near.GetStream().CopyToAsync(far.GetStream(), stop), far.GetStream().CopyToAsync(near.GetStream(), stop));
    }

    private byte[] Header()
    {
        IPEndPoint destination = Client.AddressFamily == AddressFamily.InterNetwork ? Destination4 : Destination6;
        var source = new IPEndPoint(Client, Interlocked.Increment(ref _clientPort));
        return Version == 1 ? Line(source, destination) : Binary(source, destination);
    }

    private static byte[] Line(IPEndPoint source, IPEndPoint destination)
    {
        string family = source.AddressFamily == AddressFamily.InterNetwork ? "TCP4" : "TCP6";
        return Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"PROXY {family} {source.Address} {destination.Address} {source.Port} {destination.Port}\r\n"));
    }

    // With a TLV behind the addresses, as proxies write them: PP2_TYPE_AUTHORITY.
    private static byte[] Binary(IPEndPoint source, IPEndPoint destination)
    {
        byte[] authority = "broker.example"u8.ToArray();
        byte[] ports = new byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(ports, (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ports.AsSpan(2), (ushort)destination.Port);
        byte[] rest =
        [
            .. source.Address.GetAddressBytes(), .. destination.Address.GetAddressBytes(), .. ports,
            0x02, 0, (byte)authority.Length, .. authority,
        ];
        byte family = (byte)(source.AddressFamily == AddressFamily.InterNetwork ? 0x11 : 0x21);
        return [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, family, 0, (byte)rest.Length, .. rest];
    }
}
