using System.Text;

namespace Pillarbox.Fuzz.Stomp.Scene;

/// <summary>A frame that the node sent; headers as they stand on the wire.</summary>
internal sealed record ReceivedFrame(string Command, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>The first value of a header; empty when there is none.</summary>
    public string this[string name] => Headers.FirstOrDefault(h => h.Key == name).Value ?? "";

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Whether the header is there.</summary>
    public bool Has(string name) => Headers.Any(h => h.Key == name);

    /// <summary>Cuts the first whole frame off; null: there is none. Skips ends of line.</summary>
    public static ReceivedFrame? TryTake(ref ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> rest = bytes.TrimStart((byte)'\n');
        int end = rest.IndexOf("\n\n"u8);
        if (end < 0)
        {
            return null;
        }

        string[] lines = Encoding.UTF8.GetString(rest[..end]).Split('\n');
        var headers = lines[1..].Select(l => l.Split(':', 2)).Select(p => KeyValuePair.Create(p[0], p[1])).ToList();
        ReadOnlySpan<byte> body = rest[(end + 2)..];
        string? counted = headers.FirstOrDefault(h => h.Key == "content-length").Value;
        int length = counted is null ? body.IndexOf((byte)0) : int.Parse(counted, null);
        if (length < 0 || body.Length <= length)
        {
            return null;
        }

        if (body[length] != 0)
        {
            throw new InvalidOperationException("a frame of the node does not end with NUL");
        }

        bytes = body[(length + 1)..];
        return new ReceivedFrame(lines[0], headers, body[..length].ToArray());
    }
}
