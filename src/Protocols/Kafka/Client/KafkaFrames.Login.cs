using System.Buffers;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka.Client;

/// <summary>Logging in: SaslHandshake version 1, then SaslAuthenticate as often as the mechanism needs.</summary>
public sealed partial class KafkaFrames
{
    private const short SaslHandshakeVersion = 1;
    private const short SaslAuthenticateVersion = 1;

    /// <summary>Says which mechanism is to be used.</summary>
    public void WriteSaslHandshake(IBufferWriter<byte> target, int correlation, string mechanism) =>
        Write(target, correlation, SaslHandshakeVersion, new SaslHandshakeRequest { Mechanism = mechanism });

    /// <summary>The error, 33 when the server does not have the mechanism, and those that it has.</summary>
    public static (short Error, IReadOnlyList<string> Mechanisms) ReadSaslHandshake(ReadOnlyMemory<byte> frame)
    {
        var answer = Read<SaslHandshakeResponse>(frame, SaslHandshakeVersion);
        return (answer.ErrorCode, answer.Mechanisms);
    }

    /// <summary>Sends a token of the mechanism.</summary>
    public void WriteSaslAuthenticate(IBufferWriter<byte> target, int correlation, byte[] token) =>
        Write(target, correlation, SaslAuthenticateVersion, new SaslAuthenticateRequest { AuthBytes = token });

    /// <summary>The error with its words, and the server's token.</summary>
    public static (short Error, string? Message, byte[] Token) ReadSaslAuthenticate(ReadOnlyMemory<byte> frame)
    {
        var answer = Read<SaslAuthenticateResponse>(frame, SaslAuthenticateVersion);
        return (answer.ErrorCode, answer.ErrorMessage, answer.AuthBytes);
    }
}
