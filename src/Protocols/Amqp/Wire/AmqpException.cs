namespace Pillarbox.Protocols.Amqp.Wire;

/// <summary>
/// What an error ends: the whole connection, one session, or one link (part 2 sections 2.4.3, 2.5.8, 2.6.5).
/// </summary>
public enum AmqpSeverity
{
    Connection,
    Session,
    Link,
}

/// <summary>
/// The one exception of the protocol: the peer did what the specification forbids. It carries the error condition that
/// goes on the wire and how much has to be closed. Caught by the connection only. Never thrown for a fault of our own.
/// </summary>
public sealed class AmqpException : Exception
{
    public AmqpException(string condition, string message, AmqpSeverity severity = AmqpSeverity.Connection)
        : base(message)
    {
        Condition = condition;
        Severity = severity;
    }

    /// <summary>The symbol for the error's condition field, e.g. <c>amqp:decode-error</c>.</summary>
    public string Condition { get; }

    public AmqpSeverity Severity { get; }

    /// <summary>Further information for the error's info map, or null.</summary>
    public AmqpMap? Info { get; init; }

    /// <summary>The error as it goes on the wire in detach, end or close.</summary>
    public AmqpError ToError() => new() { Condition = Condition, Description = Message, Info = Info };

    internal static AmqpException Decode(string message) => new(AmqpErrorCondition.DecodeError, message);

    internal static AmqpException Framing(string message) => new(AmqpErrorCondition.ConnectionFramingError, message);
}
