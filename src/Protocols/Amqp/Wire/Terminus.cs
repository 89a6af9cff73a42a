namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>Part 3 section 3.5.5: what of a terminus survives its link's and its container's end.</summary>
public enum TerminusDurability : uint
{
    None = 0,
    Configuration = 1,
    UnsettledState = 2,
}

/// <summary>Part 3 section 3.5.6: when the expiry timer of a terminus starts.</summary>
public enum TerminusExpiryPolicy : byte
{
    LinkDetach,
    SessionEnd,
    ConnectionClose,
    Never,
}

/// <summary>The symbols of <see cref="TerminusExpiryPolicy"/>.</summary>
public static class TerminusExpiryPolicySymbol
{
    public static ReadOnlySpan<byte> Of(TerminusExpiryPolicy policy) => policy switch
    {
        TerminusExpiryPolicy.LinkDetach => "link-detach"u8,
        TerminusExpiryPolicy.SessionEnd => "session-end"u8,
        TerminusExpiryPolicy.ConnectionClose => "connection-close"u8,
        _ => "never"u8,
    };

    public static TerminusExpiryPolicy Parse(ReadOnlySpan<byte> symbol) => symbol switch
    {
        _ when symbol.SequenceEqual("link-detach"u8) => TerminusExpiryPolicy.LinkDetach,
        _ when symbol.SequenceEqual("session-end"u8) => TerminusExpiryPolicy.SessionEnd,
        _ when symbol.SequenceEqual("connection-close"u8) => TerminusExpiryPolicy.ConnectionClose,
        _ when symbol.SequenceEqual("never"u8) => TerminusExpiryPolicy.Never,
        _ => throw AmqpException.Decode("unknown terminus-expiry-policy"),
    };
}

/// <summary>What can stand in the source or target field of an attach.</summary>
public abstract record Terminus
{
    /// <summary>Reads a source, a target or a coordinator, as the descriptor says.</summary>
    public static Terminus Read(scoped ref AmqpReader reader) => reader.ReadDescriptor() switch
    {
        Source.DescriptorCode => Source.ReadFields(ref reader),
        Target.DescriptorCode => Target.ReadFields(ref reader),
        Coordinator.DescriptorCode => Coordinator.ReadFields(ref reader),
        var code => throw AmqpException.Decode($"descriptor 0x{code:x} is no source, target or coordinator"),
    };

    public void Write(scoped ref AmqpWriter writer)
    {
        switch (this)
        {
            case Source source:
                source.Write(ref writer);
                break;
            case Target target:
                target.Write(ref writer);
                break;
            case Coordinator coordinator:
                coordinator.Write(ref writer);
                break;
        }
    }
}
