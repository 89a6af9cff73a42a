using System.Buffers;
using System.Text;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Stomp;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Fuzz.Stomp;

/// <summary>
/// The STOMP codec: mutated frames are cut, viewed and kept as a connection does it, in each version. Cut in two they
/// mean the same; what is kept of a SEND is read by the map and the property reader, and written again it is the same.
/// </summary>
internal sealed class StompWireTarget : IFuzzTarget
{
    private static readonly FrameLimits Limits = new(4096, 64, 1 << 16, 1 << 16);
    private readonly StompContentMap _map = new();
    private readonly StompPropertyReader _properties = new();
    private readonly ArrayBufferWriter<byte> _output = new(1 << 12);

    public byte[] Make(Random random)
    {
        var grammar = new StompGrammar(random);
        byte[] frames = random.Next(8) == 0 ? [.. grammar.Frame(), .. grammar.Frame()] : grammar.Frame();
        return [(byte)random.Next(3), (byte)random.Next(256), .. random.Next(8) == 0 ? frames : grammar.Mutate(frames)];
    }

    public void Take(byte[] input)
    {
        if (input.Length < 2)
        {
            return;
        }

        var version = (StompVersion)(input[0] % 3);
        byte[] bytes = input[2..];
        string whole = Read(version, bytes, []);
        int cut = bytes.Length * input[1] / 256;
        string halves = Read(version, bytes[..cut], bytes[cut..]);
        if (whole != halves)
        {
            throw new InvalidOperationException($"whole {whole} is not halves {halves}");
        }
    }

    // What the frames are, as text to compare.
    private string Read(StompVersion version, byte[] first, byte[] second)
    {
        var found = new StringBuilder();
        var reader = new FrameReader(Limits);
        try
        {
            byte[] rest = ReadAll(reader, version, first, found);
            ReadAll(reader, version, [.. rest, .. second], found);
        }
        catch (StompException refused)
        {
            found.Append('!').Append(refused.Message);
        }

        return found.ToString();
    }

    private byte[] ReadAll(FrameReader reader, StompVersion version, byte[] bytes, StringBuilder found)
    {
        var input = new ReadOnlySequence<byte>(bytes);
        while (true)
        {
            FrameState state = reader.Peek(ref input, out ReadOnlySequence<byte> head, out ReadOnlySequence<byte> body);
            if (state != FrameState.Whole)
            {
                return state == FrameState.NeedMore ? input.ToArray() : throw new StompException("large");
            }

            found.Append(Convert.ToHexString(head.ToArray())).Append('.').Append(body.Length).Append(' ');
            TakeFrame(new FrameHead(head.FirstSpan, version), version, body.ToArray());
            reader.Take(ref input);
        }
    }

    private void TakeFrame(in FrameHead frame, StompVersion version, byte[] body)
    {
        _ = frame.Text("receipt"u8, version);
        if (frame.Command != StompCommand.Send)
        {
            return;
        }

        ByteBuilder kept = default;
        kept.Append(StompMessageMap.Text);
        SendFields fields = StompMessageMap.Read(frame, version, ref kept);
        kept.Append((byte)'\n');
        kept.Append(body);
        byte[] payload = kept.Span.ToArray();
        MessageHeader header = StompMessageMap.HeaderOf(fields, version, nowMs: 1);
        _ = _properties.Read(header, payload, "color").Kind;
        MessageContent? content = _map.Read(header, "a", payload);
        if (content is not null)
        {
            Same(header, content);
        }
    }

    private void Same(in MessageHeader header, MessageContent content)
    {
        byte[] once = Write(header, content);
        MessageContent again = _map.Read(header, "a", once)
            ?? throw new InvalidOperationException("what was written cannot be read");
        if (!Write(header, again).AsSpan().SequenceEqual(once))
        {
            throw new InvalidOperationException("a message changed on its way");
        }
    }

    private byte[] Write(in MessageHeader header, MessageContent content)
    {
        _output.ResetWrittenCount();
        _map.Write(header, "a", content, _output);
        return _output.WrittenSpan.ToArray();
    }
}
