using System.Buffers;

namespace Pillarbox.Model.Content;

/// <summary>
/// Payloads of one format to the neutral form and back: the whole of what a protocol does for messages that come or go
/// by another one. Pure; any thread.
/// </summary>
public interface IContentMap
{
    /// <summary>The format that it reads and writes.</summary>
    PayloadFormat Format { get; }

    /// <summary>
    /// Reads a payload. <paramref name="address"/> is where the message was published. Null when the bytes are not of
    /// the format: the message is then damaged. Must not throw.
    /// </summary>
    MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload);

    /// <summary>
    /// Writes a payload. What the format cannot hold is left out; which that is, the protocol's page says. Must not
    /// throw.
    /// </summary>
    void Write(in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output);
}
