using System.Buffers;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Fuzz.Amqp.Scene;

/// <summary>Frames as a peer sends them.</summary>
internal static class FrameBytes
{
    public static byte[] Of(Open open) => Frame(0, open.Write);

    public static byte[] Of(Begin begin, ushort channel = 0) => Frame(channel, begin.Write);

    public static byte[] Of(Attach attach, ushort channel = 0) => Frame(channel, attach.Write);

    public static byte[] Of(Detach detach, ushort channel = 0) => Frame(channel, detach.Write);

    public static byte[] Of(End end, ushort channel = 0) => Frame(channel, end.Write);

    public static byte[] Of(Close close) => Frame(0, close.Write);

    public static byte[] Of(SaslInit init) => Frame(0, init.Write, FrameType.Sasl);

    public static byte[] Of(SaslResponse response) => Frame(0, response.Write, FrameType.Sasl);

    public static byte[] Of(in Flow flow, ushort channel = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        int mark = writer.BeginFrame(FrameType.Amqp, channel);
        flow.Write(ref writer);
        return End(output, ref writer, mark);
    }

    public static byte[] Of(in Disposition disposition, ushort channel = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        int mark = writer.BeginFrame(FrameType.Amqp, channel);
        disposition.Write(ref writer);
        return End(output, ref writer, mark);
    }

    public static byte[] Of(in Transfer transfer, ReadOnlySpan<byte> payload, ushort channel = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        int mark = writer.BeginFrame(FrameType.Amqp, channel);
        transfer.Write(ref writer);
        writer.WriteRaw(payload);
        return End(output, ref writer, mark);
    }

    /// <summary>A frame with any body.</summary>
    public static byte[] Raw(ReadOnlySpan<byte> body, ushort channel = 0, FrameType type = FrameType.Amqp)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        int mark = writer.BeginFrame(type, channel);
        writer.WriteRaw(body);
        return End(output, ref writer, mark);
    }

    private static byte[] Frame(ushort channel, Writing write, FrameType type = FrameType.Amqp)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new AmqpWriter(output);
        int mark = writer.BeginFrame(type, channel);
        write(ref writer);
        return End(output, ref writer, mark);
    }

    private static byte[] End(ArrayBufferWriter<byte> output, ref AmqpWriter writer, int mark)
    {
        writer.EndFrame(mark);
        writer.Commit();
        return output.WrittenSpan.ToArray();
    }

    private delegate void Writing(scoped ref AmqpWriter writer);
}
