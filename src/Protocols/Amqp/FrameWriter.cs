using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp;

/// <summary>Writes whole frames to the output of one connection and counts their bytes. Never flushes.</summary>
internal sealed class FrameWriter(IBufferWriter<byte> output)
{
    /// <summary>
    /// Most bytes that a transfer's frame takes besides its payload (part 2 section 2.7.5), with a tag of 32 bytes.
    /// </summary>
    public const int TransferOverheadMax = 112;

    // A payload up to this is copied into the span of its frame; a longer one is copied segment by segment.
    private const int InlinePayloadMax = 2048;

    // Most attaches fit; a frame that is longer still is written whole.
    private const int RareFrameBytesHint = 1024;

    /// <summary>The largest frame that the peer takes (part 2 section 2.7.1), in bytes; no limit before its
    /// open.</summary>
    public uint FrameBytesMax { get; set; } = uint.MaxValue;

    /// <summary>Bytes written since the connection began.</summary>
    public long BytesWritten { get; private set; }

    public void Write(ProtocolHeader header)
    {
        header.Write(output);
        BytesWritten += ProtocolHeader.Bytes;
    }

    public void WriteHeartbeat()
    {
        output.Write(Frames.Heartbeat);
        BytesWritten += FrameHeader.Bytes;
    }

    /// <summary>A frame of the login.</summary>
    public void Write(ISaslFrame frame) => Write(FrameType.Sasl, 0, frame);

    /// <summary>A performative of the connection itself.</summary>
    public void Write(IPerformative performative) => Write(FrameType.Amqp, 0, performative);

    /// <summary>A performative of a session; the hot ones have their own way.</summary>
    public void Write(ushort channel, IPerformative performative) => Write(FrameType.Amqp, channel, performative);

    public void Write(ushort channel, in Flow performative)
    {
        var writer = new AmqpWriter(output, 128);
        int mark = writer.BeginFrame(FrameType.Amqp, channel);
        performative.Write(ref writer);
        End(ref writer, mark);
    }

    public void Write(ushort channel, in Disposition performative)
    {
        var writer = new AmqpWriter(output, 128);
        int mark = writer.BeginFrame(FrameType.Amqp, channel);
        performative.Write(ref writer);
        End(ref writer, mark);
    }

    /// <summary>
    /// A transfer whose payload is <paramref name="prefix"/> and then <paramref name="payload"/>; both must fit the
    /// peer's frames.
    /// </summary>
    public void Write(ushort channel, in Transfer performative, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> payload)
    {
        bool inline = payload.Length <= InlinePayloadMax;
        int hint = TransferOverheadMax + prefix.Length + (inline ? payload.Length : 0);
        var writer = new AmqpWriter(output, hint);
        int mark = writer.BeginFrame(FrameType.Amqp, channel);
        performative.Write(ref writer);
        writer.WriteRaw(prefix);
        if (inline)
        {
            writer.WriteRaw(payload);
            End(ref writer, mark);
            return;
        }

        writer.EndFrame(mark, payload.Length);
        BytesWritten += writer.Position + payload.Length;
        writer.Commit();
        output.Write(payload);
    }

    // Errors: frame-size-too-small, when it cannot be said in the frames that the peer takes. An error's text can go.
    private void Write(FrameType type, ushort channel, IFrameBody body)
    {
        if (!TryWrite(type, channel, body)
            && !(WithoutText(body) is { } shorter && TryWrite(type, channel, shorter)))
        {
            throw new AmqpException(
                AmqpErrorCondition.FrameSizeTooSmall, $"the answer does not fit into {FrameBytesMax} bytes");
        }
    }

    private bool TryWrite(FrameType type, ushort channel, IFrameBody body)
    {
        var writer = new AmqpWriter(output, RareFrameBytesHint);
        int mark = writer.BeginFrame(type, channel);
        body.Write(ref writer);
        if (writer.Position > FrameBytesMax)
        {
            return false;
        }

        End(ref writer, mark);
        return true;
    }

    private static IFrameBody? WithoutText(IFrameBody body) => body switch
    {
        Detach detach => detach with { Error = detach.Error?.WithoutText() },
        End end => end with { Error = end.Error?.WithoutText() },
        Close close => close with { Error = close.Error?.WithoutText() },
        _ => null,
    };

    private void End(ref AmqpWriter writer, int mark)
    {
        writer.EndFrame(mark);
        BytesWritten += writer.Position;
        writer.Commit();
    }
}
