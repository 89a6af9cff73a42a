using System.Collections.Immutable;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Router.Management.Views;

/// <summary>Something that an operator configured: a listener, a connector, an address...</summary>
/// <param name="Type">The short name of its type, e.g. <c>router.config.address</c>.</param>
/// <param name="Identity">Unique among all.</param>
/// <param name="Name">What the operator calls it.</param>
/// <param name="Attributes">What was set, and its state; what is missing has the type's default.</param>
public sealed record ConfiguredEntity(
    string Type, string Identity, string Name, ImmutableDictionary<string, AmqpValue> Attributes);
