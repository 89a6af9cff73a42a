namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>The frames that clients send.</summary>
internal enum StompCommand : byte
{
    /// <summary>None of them.</summary>
    Unknown,

    /// <summary>CONNECT, or STOMP, which is the same.</summary>
    Connect,

    /// <summary>SEND.</summary>
    Send,

    /// <summary>SUBSCRIBE.</summary>
    Subscribe,

    /// <summary>UNSUBSCRIBE.</summary>
    Unsubscribe,

    /// <summary>ACK.</summary>
    Ack,

    /// <summary>NACK.</summary>
    Nack,

    /// <summary>BEGIN.</summary>
    Begin,

    /// <summary>COMMIT.</summary>
    Commit,

    /// <summary>ABORT.</summary>
    Abort,

    /// <summary>DISCONNECT.</summary>
    Disconnect,
}

/// <summary>The commands' names on the wire; they are case sensitive.</summary>
internal static class StompCommands
{
    /// <summary>The longest command of a client, in bytes.</summary>
    public const int BytesMax = 16;

    /// <summary>Reads the first line of a frame, without its end.</summary>
    public static StompCommand Parse(ReadOnlySpan<byte> line) => line switch
    {
        _ when line.SequenceEqual("SEND"u8) => StompCommand.Send,
        _ when line.SequenceEqual("ACK"u8) => StompCommand.Ack,
        _ when line.SequenceEqual("NACK"u8) => StompCommand.Nack,
        _ when line.SequenceEqual("CONNECT"u8) || line.SequenceEqual("STOMP"u8) => StompCommand.Connect,
        _ when line.SequenceEqual("SUBSCRIBE"u8) => StompCommand.Subscribe,
        _ when line.SequenceEqual("UNSUBSCRIBE"u8) => StompCommand.Unsubscribe,
        _ when line.SequenceEqual("BEGIN"u8) => StompCommand.Begin,
        _ when line.SequenceEqual("COMMIT"u8) => StompCommand.Commit,
        _ when line.SequenceEqual("ABORT"u8) => StompCommand.Abort,
        _ when line.SequenceEqual("DISCONNECT"u8) => StompCommand.Disconnect,
        _ => StompCommand.Unknown,
    };
}
