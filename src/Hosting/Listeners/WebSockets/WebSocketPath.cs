using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.Listeners.WebSockets;

/// <summary>A path of the HTTP listener at which a protocol is spoken over WebSocket (RFC 6455).</summary>
/// <param name="Path">The path.</param>
/// <param name="Protocol">The protocol.</param>
/// <param name="Subprotocols">The names of its versions, the best first.</param>
/// <param name="TakesText">Whether frames of text are taken, and sent where the bytes are text.</param>
internal sealed record WebSocketPath(
    string Path, ListenerProtocol Protocol, IReadOnlyList<string> Subprotocols, bool TakesText)
{
    /// <summary>All of them; a path whose protocol is not served is not there.</summary>
    public static readonly IReadOnlyList<WebSocketPath> Table =
    [
        new("/amqp", ListenerProtocol.Amqp, ["amqp", "binary"], TakesText: false),
        new("/mqtt", ListenerProtocol.Mqtt, ["mqtt", "mqttv3.1"], TakesText: false),
        new("/stomp", ListenerProtocol.Stomp, ["v12.stomp", "v11.stomp", "v10.stomp"], TakesText: true),
    ];

    /// <summary>That of a request; null: of none. At the root the subprotocol tells which, for clients that know no
    /// paths.</summary>
    /// <param name="path">The request's path.</param>
    /// <param name="asked">The subprotocols that the client asks for.</param>
    public static WebSocketPath? Of(string? path, IList<string> asked) => string.IsNullOrEmpty(path) || path == "/"
        ? Table.FirstOrDefault(row => row.Subprotocols.Any(asked.Contains))
        : Table.FirstOrDefault(row => row.Path.Equals(path, StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The subprotocol for a client that asks for these; false: it asks only for others. A client that asks for none
    /// gets none.
    /// </summary>
    public bool TryChoose(IList<string> asked, out string? chosen)
    {
        chosen = Subprotocols.FirstOrDefault(asked.Contains);
        return chosen is not null || asked.Count == 0;
    }
}
