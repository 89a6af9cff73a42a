using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>A change that a request asks for, checked against the schema; the router's owner makes it.</summary>
public abstract record RouterCommand;

/// <summary>Make something.</summary>
/// <param name="Type">The short name of its type.</param>
/// <param name="Name">What the operator calls it, or null.</param>
/// <param name="Attributes">All that were given, of the right types.</param>
public sealed record CreateEntity(string Type, string? Name, ImmutableDictionary<string, AmqpValue> Attributes)
    : RouterCommand;

/// <summary>Remove something that was configured.</summary>
public sealed record DeleteEntity(ConfiguredEntity Entity) : RouterCommand;

/// <summary>Change something that was configured.</summary>
public sealed record UpdateEntity(ConfiguredEntity Entity, ImmutableDictionary<string, AmqpValue> Changes)
    : RouterCommand;

/// <summary>Close a client's connection.</summary>
public sealed record CloseConnection(long ConnectionId) : RouterCommand;

/// <summary>Enable or disable a link.</summary>
public sealed record SetLinkEnabled(long LinkId, bool Enabled) : RouterCommand;

/// <summary>Write a connection's frames to the log, or stop to.</summary>
public sealed record SetConnectionTrace(long ConnectionId, bool Enabled) : RouterCommand;

/// <summary>What became of a command.</summary>
/// <param name="Fault">Null: it is done.</param>
/// <param name="Status">The status of a fault.</param>
/// <param name="Made">What was made or changed, when it was configured.</param>
public sealed record CommandResult(
    string? Fault, int Status = ManagementStatus.BadRequest, ConfiguredEntity? Made = null)
{
    public static CommandResult Done(ConfiguredEntity? made = null) => new(null, ManagementStatus.Ok, made);
}
