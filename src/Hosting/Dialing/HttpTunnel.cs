using System.Globalization;
using System.Text;
using Pillarbox.Broker.Security;

namespace Pillarbox.Hosting.Dialing;

/// <summary>
/// A way through an HTTP proxy (RFC 9110 section 9.3.6): CONNECT, and behind an answer of 2xx the bytes are those of the
/// place that was asked for. Login is Basic (RFC 7617).
/// </summary>
internal static class HttpTunnel
{
    /// <summary>The longest answer of a proxy that is read.</summary>
    public const int ReplyBytesMax = 8 << 10;

    /// <summary>Asks a proxy for a way. Throws <see cref="IOException"/> when it gives none.</summary>
    public static async Task OpenAsync(
        Stream stream, string authority, DialProxy proxy, CancellationToken cancellation)
    {
        await stream.WriteAsync(Request(authority, proxy.User, proxy.Password), cancellation);
        await stream.FlushAsync(cancellation);
        byte[] reply = await ReadHeadAsync(stream, proxy, cancellation);
        if (!TryReadStatus(reply, out int status, out string reason))
        {
            throw new IOException($"{proxy.Address} does not answer as an HTTP proxy does");
        }

        if (status is < 200 or > 299)
        {
            throw new IOException(Explain(status, reason, authority, proxy));
        }
    }

    /// <summary>The request, as it goes out.</summary>
    public static byte[] Request(string authority, string? user, Secret? password)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if (user is not null)
        {
            ReadOnlySpan<byte> secret = password is null ? [] : password.Reveal();
            byte[] pair = [.. Encoding.UTF8.GetBytes(user), (byte)':', .. secret];
            text.Append("Proxy-Authorization: Basic ").Append(Convert.ToBase64String(pair)).Append("\r\n");
        }

        return Encoding.ASCII.GetBytes(text.Append("\r\n").ToString());
    }

    /// <summary>Reads the status line of an answer; false: it is none of HTTP/1.</summary>
    public static bool TryReadStatus(ReadOnlySpan<byte> head, out int status, out string reason)
    {
        (status, reason) = (0, "");
        int end = head.IndexOf("\r\n"u8);
        ReadOnlySpan<byte> line = end < 0 ? head : head[..end];
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[8] != (byte)' ')
        {
            return false;
        }

        reason = line.Length > 13 ? Encoding.Latin1.GetString(line[13..]) : "";
        return int.TryParse(line.Slice(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out status);
    }

    // Byte by byte, for what comes behind the answer is not the proxy's.
    private static async Task<byte[]> ReadHeadAsync(Stream stream, DialProxy proxy, CancellationToken cancellation)
    {
        byte[] head = new byte[ReplyBytesMax];
        int length = 0;
        while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
        {
            if (length == head.Length)
            {
                throw new IOException($"the answer of the proxy {proxy.Address} is longer than {ReplyBytesMax} bytes");
            }

            if (await stream.ReadAsync(head.AsMemory(length, 1), cancellation) == 0)
            {
                throw new IOException($"the proxy {proxy.Address} ended the connection without an answer");
            }

            length++;
        }

        return head[..length];
    }

    private static string Explain(int status, string reason, string authority, DialProxy proxy) => status switch
    {
        407 when proxy.User is null => $"the proxy {proxy.Address} wants a login: set proxy.user and its password",
        407 => $"the proxy {proxy.Address} does not accept the user '{proxy.User}' or the password",
        _ => $"the proxy {proxy.Address} gives no way to {authority}: {status} {reason}".TrimEnd(),
    };
}
