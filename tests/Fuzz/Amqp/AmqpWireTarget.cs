using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp;

/// <summary>
/// The AMQP codec: a stream of frames with performatives and messages, mutated, goes through everything that a
/// connection does with bytes. What was read is written and read again: it must be the same.
/// </summary>
internal sealed class AmqpWireTarget : IFuzzTarget
{
    private const uint FrameBytesMax = 1 << 16;

    private readonly ArrayBufferWriter<byte> _output = new(1 << 12);

    public byte[] Make(Random random)
    {
        AmqpGrammar grammar = new(random);
        AmqpFrameGrammar frames = new(random, grammar);
        byte[] bytes = random.Next(16) switch
        {
            0 => grammar.Bytes(random.Next(200)),
            1 => [.. ProtocolHeader.Sasl, .. frames.Frame()],
            _ => frames.Frame(),
        };
        // The frame's size stays right most of the time, else little beyond the header would be reached.
        if (random.Next(8) == 0)
        {
            return grammar.Mutate(bytes);
        }
        if (random.Next(8) != 0 && bytes.Length > FrameHeader.Bytes)
        {
            byte[] body = grammar.Mutate(bytes[FrameHeader.Bytes..]);
            return AmqpFrameGrammar.Framed(FrameType.Amqp, 0, body);
        }
        return bytes;
    }

    public void Take(byte[] input)
    {
        ReadOnlySequence<byte> rest = new(input);
        try
        {
            ProtocolHeader.TryRead(ref rest, out _);
            while (Frames.TryReadFrame(ref rest, FrameBytesMax, out _, out ReadOnlySequence<byte> body))
            {
                TakeBody(body.ToArray());
            }
        }
        catch (AmqpException)
        {
            // The only thing that may come out.
        }
    }

    private void TakeBody(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return;
        }
        AmqpReader skipping = new(body);
        if (!skipping.TrySkip())
        {
            skipping = new AmqpReader(body);
        }
        AmqpReader reader = new(body);
        _output.ResetWrittenCount();
        AmqpWriter writer = new(_output);
        if (!AmqpPerformatives.TryReadAndWrite(ref reader, ref writer))
        {
            TakeValue(body);
            return;
        }
        byte[] once = writer.Written.ToArray();
        if (reader.Position != skipping.Position)
        {
            throw new InvalidOperationException("reading and skipping disagree about the length");
        }
        AmqpReader again = new(once);
        writer.Rewind(0);
        AmqpPerformatives.TryReadAndWrite(ref again, ref writer);
        Same(once, writer.Written);
        TakeMessage(reader.Rest);
    }

    private static void TakeValue(ReadOnlySpan<byte> bytes)
    {
        AmqpValue value = AmqpValue.FromEncoded(bytes);
        if (value != AmqpValue.FromEncoded(value.ToEncoded()))
        {
            throw new InvalidOperationException("a value changed on its way");
        }
    }

    private void TakeMessage(ReadOnlySpan<byte> payload)
    {
        if (MessageSections.TryScanHead(payload, out MessageSections head) && head.BodyOffset > payload.Length)
        {
            throw new InvalidOperationException("the body begins behind the end");
        }
        MessageSections sections = MessageSections.Scan(payload);
        MessageView view = new(payload, sections);
        _ = view.Header;
        _ = view.ApplicationProperties.TryGet("color", out _);
        _ = view.Properties.GroupId;
        _ = view.Properties.AbsoluteExpiryTimeMs;
        byte[] whole = AmqpMessage.Read(payload).ToArray();
        Same(whole, AmqpMessage.Read(whole).ToArray());

        AmqpMap added = new() { { AmqpValue.Symbol("x-opt-orig-queue"), "q" } };
        _output.ResetWrittenCount();
        AmqpWriter writer = new(_output);
        MessageRewriter.Write(ref writer, payload, sections, new HeaderSection { DeliveryCount = 1 }, added);
        ReadOnlySpan<byte> rewritten = writer.Written;
        Same(payload[sections.BareOffset..], rewritten[MessageSections.Scan(rewritten).BareOffset..]);
    }

    private static void Same(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (!first.SequenceEqual(second))
        {
            throw new InvalidOperationException(
                $"{Convert.ToHexStringLower(first)} became {Convert.ToHexStringLower(second)}");
        }
    }
}
