namespace Pillarbox.Protocols.Stomp.Wire;

/// <summary>How large frames may be, in bytes.</summary>
/// <param name="HeadBytesMax">Command and headers together.</param>
/// <param name="HeadersMax">Number of headers.</param>
/// <param name="WholeBodyBytesMax">A body up to this is waited for; a larger one comes in pieces.</param>
/// <param name="BodyBytesMax">A body.</param>
internal readonly record struct FrameLimits(
    int HeadBytesMax, int HeadersMax, int WholeBodyBytesMax, long BodyBytesMax);
