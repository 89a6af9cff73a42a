using System.Text.Json.Nodes;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>One section of a <c>qdrouterd.conf</c>: an entity with its attributes. Names are in camel case whichever
/// way they were written.</summary>
/// <param name="Type">The entity's type, e.g. <c>listener</c> or <c>router.config.address</c>.</param>
/// <param name="Line">The line that it begins on, from 1; 0 in a JSON file.</param>
/// <param name="Attributes">What it says: a string for each plain attribute, an object for those with a map.</param>
internal sealed record ConfEntity(string Type, int Line, IReadOnlyDictionary<string, JsonNode> Attributes);

/// <summary>A <c>qdrouterd.conf</c> that cannot be read, with the line.</summary>
internal sealed class ConfSyntaxException(string message) : Exception(message);
