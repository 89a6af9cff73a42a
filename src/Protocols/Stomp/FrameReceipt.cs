using Pillarbox.Protocols.Stomp.Wire;

namespace Pillarbox.Protocols.Stomp;

/// <summary>The receipt that the frame at hand asks for (1.2, "Header receipt"), in canonical form: its answer may come
/// much later. Used by the connection's loop alone.</summary>
internal sealed class FrameReceipt
{
    private const int BytesKept = 64 << 10;

    private ByteBuilder _id;

    /// <summary>Whether it asks for one.</summary>
    public bool IsDue { get; private set; }

    /// <summary>The receipt's id; valid until the next frame.</summary>
    public ReadOnlySpan<byte> Id => IsDue ? _id.Span : default;

    /// <summary>The next frame has come; nothing is known of it.</summary>
    public void Clear() => IsDue = false;

    /// <summary>Looks for it in the frame.</summary>
    public void Read(in FrameHead frame, StompVersion version)
    {
        if (frame.TryGet("receipt"u8, out ReadOnlySpan<byte> id))
        {
            Keep(id, version);
        }
    }

    /// <summary>This is it, as the frame has it.</summary>
    public void Keep(ReadOnlySpan<byte> id, StompVersion version)
    {
        _id.Clear(BytesKept);
        HeaderText.AppendCanonical(ref _id, id, version);
        IsDue = true;
    }

    /// <summary>The id, for an answer that comes later; null: none is asked for.</summary>
    public byte[]? ToArray() => IsDue ? _id.Span.ToArray() : null;
}
