using System.Buffers;
using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>Writes the node's frames to the output of one connection and counts their bytes. Never flushes.</summary>
internal sealed class FrameWriter(IBufferWriter<byte> output)
{
    private const int HeldBytesKept = 4096;

    private ByteBuilder _head;
    private ByteBuilder _held;

    /// <summary>Bytes written since the connection began.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>The peer's version: how headers are escaped.</summary>
    public StompVersion Version { get; set; }

    /// <summary>Whether a large message is half written.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>A heart-beat; in the middle of a large message there is life enough.</summary>
    public void WriteHeartbeat()
    {
        if (!IsHeld)
        {
            WritePiece("\n"u8);
        }
    }

    /// <summary>A MESSAGE: its head, complete with the empty line, and its body.</summary>
    public void WriteMessage(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        WritePiece(head);
        WritePiece(body);
        WritePiece("\0"u8);
    }

    /// <summary>Bytes of a large message.</summary>
    public void WritePiece(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        BytesWritten += bytes.Length;
    }

    /// <summary>A large message begins: other frames wait until it is complete.</summary>
    public void Hold() => IsHeld = true;

    /// <summary>The large message is complete: what has waited follows.</summary>
    public void Release()
    {
        IsHeld = false;
        output.Write(_held.Span);
        _held.Clear(HeldBytesKept);
    }

    // Bytes that wait behind a large message count as written, so that they are bounded too.
    private void Write(ReadOnlySpan<byte> frame)
    {
        BytesWritten += frame.Length;
        if (IsHeld)
        {
            _held.Append(frame);
        }
        else
        {
            output.Write(frame);
        }
    }

    /// <summary>CONNECTED; its headers are never escaped (1.2, "Value Encoding").</summary>
    public void WriteConnected(string server, string session, int sendsMs, int wantsMs)
    {
        _head.Clear();
        _head.Append("CONNECTED\nversion:"u8);
        _head.Append(StompVersions.NameOf(Version));
        _head.Append("\nserver:"u8);
        _head.Append(server);
        _head.Append("\nsession:"u8);
        _head.Append(session);
        _head.Append("\nheart-beat:"u8);
        _head.Append(sendsMs);
        _head.Append(","u8);
        _head.Append(wantsMs);
        _head.Append("\n\n\0"u8);
        Write(_head.Span);
    }

    /// <summary>RECEIPT; the id in canonical form.</summary>
    public void WriteReceipt(ReadOnlySpan<byte> receiptId)
    {
        _head.Clear();
        _head.Append("RECEIPT\nreceipt-id:"u8);
        HeaderText.AppendFor(ref _head, receiptId, Version);
        _head.Append("\n\n\0"u8);
        Write(_head.Span);
    }

    /// <summary>ERROR; the receipt id, in canonical form, of the frame that is to blame, if it had one.</summary>
    public void WriteError(string message, ReadOnlySpan<byte> receiptId, string? detail = null)
    {
        _head.Clear();
        _head.Append("ERROR\nmessage:"u8);
        AppendText(message);
        if (!receiptId.IsEmpty)
        {
            _head.Append("\nreceipt-id:"u8);
            HeaderText.AppendFor(ref _head, receiptId, Version);
        }

        byte[] body = System.Text.Encoding.UTF8.GetBytes(detail ?? message);
        _head.Append("\nversion:"u8);
        _head.Append(StompVersions.Supported);
        _head.Append("\ncontent-type:text/plain\ncontent-length:"u8);
        _head.Append(body.Length);
        _head.Append("\n\n"u8);
        _head.Append(body);
        _head.Append("\0"u8);
        Write(_head.Span);
    }

    private void AppendText(string text)
    {
        ByteBuilder canonical = default;
        HeaderText.AppendEscaped(ref canonical, System.Text.Encoding.UTF8.GetBytes(text));
        HeaderText.AppendFor(ref _head, canonical.Span, Version);
    }
}
