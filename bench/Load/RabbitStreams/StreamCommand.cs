namespace Pillarbox.Load.RabbitStreams;

/// <summary>The keys of the RabbitMQ stream protocol's commands, as far as a load needs them; an answer's key has the
/// highest bit set.</summary>
internal static class StreamCommand
{
    public const ushort DeclarePublisher = 0x01;
    public const ushort Publish = 0x02;
    public const ushort PublishConfirm = 0x03;
    public const ushort PublishError = 0x04;
    public const ushort Subscribe = 0x07;
    public const ushort Deliver = 0x08;
    public const ushort Credit = 0x09;
    public const ushort Create = 0x0d;
    public const ushort Delete = 0x0e;
    public const ushort PeerProperties = 0x11;
    public const ushort SaslHandshake = 0x12;
    public const ushort SaslAuthenticate = 0x13;
    public const ushort Tune = 0x14;
    public const ushort Open = 0x15;
    public const ushort Close = 0x16;
    public const ushort Heartbeat = 0x17;
    public const ushort Answer = 0x8000;
}
