using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>ANONYMOUS (RFC 4505): the response is a trace text that nobody believes.</summary>
internal sealed class AnonymousServer : ISaslServer
{
    public string Mechanism => SaslServers.Anonymous;

    public SaslStep Step(ReadOnlySpan<byte> response) => SaslStep.Succeeded(Identity.Anonymous);

    public ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation) =>
        throw new InvalidOperationException("nothing to verify");

    public void Dispose()
    {
    }
}
