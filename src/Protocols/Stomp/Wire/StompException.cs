namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>
/// What a peer did wrong. STOMP knows one severity: an ERROR frame, and the connection ends (1.2, "ERROR").
/// </summary>
/// <param name="message">The ERROR's <c>message</c> header: one short sentence.</param>
internal sealed class StompException(string message) : Exception(message)
{
    private const int CharsShown = 64;

    /// <summary>A text of the peer's, as much of it as goes into a short sentence.</summary>
    public static string Shorten(string text) => text.Length <= CharsShown ? text : text[..CharsShown] + "…";
}
