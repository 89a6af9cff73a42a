using System.IO.Pipelines;

namespace Pillarbox.Transport;

/// <summary>Both directions of a connection, wherever each comes from.</summary>
/// <param name="Input">What the peer sends.</param>
/// <param name="Output">What goes to it.</param>
public sealed record DuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
