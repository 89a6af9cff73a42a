using System.Text;

namespace Pillarbox.Fuzz.Stomp;

/// <summary>Makes frames of clients, mostly good ones, and breaks bytes.</summary>
internal sealed class StompGrammar(Random random)
{
    private static readonly string[] Commands =
    [
        "SEND", "SEND", "SEND", "SUBSCRIBE", "SUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT", "UNSUBSCRIBE",
        "DISCONNECT", "CONNECT", "STOMP", "MESSAGE", "nonsense",
    ];

    private static readonly string[] Destinations =
    [
        "/queue/a", "/queue/b", "/topic/t", "/topic/u", "a", "a::a", "/temp-queue/x", "/temp-topic/y", "queue://c", "",
        "/queue/", "t::s", "/queue/a,/topic/t,b", "a,,a::a",
    ];

    private static readonly string[] Headers =
    [
        "persistent:true", "priority:9", "priority:x", "expires:1", "expires:99999999999999", "color:red", "color:blue",
        "a\\cb:c\\\\d\\n", "a:\\t", "reply-to:/temp-queue/x", "correlation-id:1", "destination-type:ANYCAST",
        "destination-type:MULTICAST", "subscription-type:MULTICAST", "selector:color = 'red'", "selector:((",
        "durable-subscription-name:d", "no-local:true", "exclusive:true", "browser:true", "prefetch-count:1",
        "consumer-window-size:1", "requeue:false", "reason:bad", "no colon", ":", "content-type:text/plain",
    ];

    /// <summary>A CONNECT of any version.</summary>
    public byte[] Connect() => Encoding.UTF8.GetBytes(
        $"CONNECT\naccept-version:{Pick("1.0", "1.1", "1.2", "1.0,1.1,1.2")}\nhost:x\n"
        + (random.Next(2) == 0 ? "client-id:c\n" : "") + (random.Next(4) == 0 ? "heart-beat:500,500\n" : "")
        + (random.Next(4) == 0 ? "login:me\npasscode:x\n" : "") + "\n\0");

    /// <summary>A frame of a client.</summary>
    public byte[] Frame()
    {
        string command = Pick(Commands);
        string end = random.Next(4) == 0 ? "\r\n" : "\n";
        var text = new StringBuilder(command).Append(end);
        foreach (string header in HeadersOf(command))
        {
            text.Append(header).Append(end);
        }

        byte[] body = command == "SEND" ? Body() : [];
        if (body.Contains((byte)0) || random.Next(3) == 0)
        {
            int length = random.Next(30) == 0 ? random.Next(100_000) : body.Length;
            text.Append("content-length:").Append(length).Append(end);
        }

        return [.. Encoding.UTF8.GetBytes(text.Append(end).ToString()), .. body, 0, .. Blank()];
    }

    /// <summary>The same bytes with a few of them changed, cut, doubled or put elsewhere.</summary>
    public byte[] Mutate(byte[] bytes)
    {
        List<byte> changed = [.. bytes];
        for (int times = random.Next(1, 4); times > 0 && changed.Count > 0; times--)
        {
            int at = random.Next(changed.Count);
            switch (random.Next(5))
            {
                case 0:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 1:
                    changed[at] = (byte)Pick("\n", "\0", ":", "\\", "\r")[0];
                    break;
                case 2:
                    changed.RemoveRange(at, random.Next(Math.Min(8, changed.Count - at)));
                    break;
                case 3:
                    changed.InsertRange(at, changed.GetRange(at, random.Next(Math.Min(16, changed.Count - at))));
                    break;
                default:
                    changed.Insert(at, (byte)random.Next(256));
                    break;
            }
        }

        return [.. changed];
    }

    private IEnumerable<string> HeadersOf(string command)
    {
        if (command is "SEND" or "SUBSCRIBE" || random.Next(8) == 0)
        {
            yield return $"destination:{Pick(Destinations)}";
        }

        if (command is "SUBSCRIBE" or "UNSUBSCRIBE")
        {
            yield return $"id:{random.Next(3)}";
            yield return $"ack:{Pick("auto", "client", "client-individual", "never")}";
        }

        if (command is "ACK" or "NACK")
        {
            string id = $"{random.Next(1, 4)}-{random.Next(1, 5)}";
            yield return $"id:{id}";
            yield return $"message-id:{id}";
            yield return $"subscription:{random.Next(3)}";
        }

        if (command is "BEGIN" or "COMMIT" or "ABORT" || random.Next(5) == 0)
        {
            yield return $"transaction:{random.Next(3)}";
        }

        if (random.Next(3) == 0)
        {
            yield return $"receipt:{random.Next(100)}";
        }

        for (int more = random.Next(3); more > 0; more--)
        {
            yield return Pick(Headers);
        }
    }

    private byte[] Body()
    {
        byte[] body = new byte[random.Next(20) switch { 0 => random.Next(20_000), 1 => 0, _ => random.Next(50) }];
        if (random.Next(2) == 0)
        {
            random.NextBytes(body);
        }
        else
        {
            Array.Fill(body, (byte)'x');
        }

        return body;
    }

    private byte[] Blank() => random.Next(4) == 0 ? [(byte)'\n', (byte)'\n'] : [];

    private T Pick<T>(params T[] from) => from[random.Next(from.Length)];
}
