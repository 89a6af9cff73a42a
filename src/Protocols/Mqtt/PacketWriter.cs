using System.Buffers;

namespace Pillarbox.Protocols.Mqtt;

/// <summary>The output of one connection, whose bytes are counted. Never flushes.</summary>
internal sealed class PacketWriter(IBufferWriter<byte> output) : IBufferWriter<byte>
{
    /// <summary>Bytes written since the connection began.</summary>
    public long BytesWritten { get; private set; }

    public void Advance(int count)
    {
        BytesWritten += count;
        output.Advance(count);
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);
}
