namespace Pillarbox.Protocols.OpenWire.Wire;

/// <summary>
/// The one exception of the protocol: the peer did what the protocol forbids. Caught by the connection only, which
/// answers a command when it can and otherwise ends. Never thrown for a fault of our own.
/// </summary>
public sealed class OpenWireException : Exception
{
    /// <summary>The peer's bytes cannot be read: the connection ends.</summary>
    public OpenWireException(string message)
        : this(ThrowableNames.Io, message)
    {
    }

    internal OpenWireException(string throwable, string message)
        : base(message) => Throwable = throwable;

    /// <summary>A connection has all that it may have of something; the command alone fails.</summary>
    internal static OpenWireException TooMany(string what, int max) =>
        new(ThrowableNames.ResourceAllocation, $"more than {max} {what} on one connection") { IsCommandOnly = true };

    /// <summary>The name of the Java class that tells the peer what happened; text, nothing else.</summary>
    internal string Throwable { get; }

    /// <summary>Only the command failed; the connection goes on.</summary>
    internal bool IsCommandOnly { get; init; }

    /// <summary>The bytes end within a field: without size prefixes more may come.</summary>
    internal bool IsShort { get; init; }
}

/// <summary>Names of the exceptions that clients know; on the wire they are text.</summary>
internal static class ThrowableNames
{
    public const string Io = "java.io.IOException";
    public const string Jms = "javax.jms.JMSException";
    public const string Security = "javax.jms.JMSSecurityException";
    /// <summary>A login that is refused; of no other exception a client with the failover transport concludes that it
    /// need not come again.</summary>
    public const string LoginRefused = "java.lang.SecurityException";
    public const string InvalidClientId = "javax.jms.InvalidClientIDException";
    public const string InvalidDestination = "javax.jms.InvalidDestinationException";
    public const string InvalidSelector = "javax.jms.InvalidSelectorException";
    public const string IllegalState = "javax.jms.IllegalStateException";
    public const string ResourceAllocation = "javax.jms.ResourceAllocationException";
    public const string MessageFormat = "javax.jms.MessageFormatException";
    public const string RolledBack = "javax.jms.TransactionRolledBackException";
    public const string Xa = "javax.transaction.xa.XAException";
}
