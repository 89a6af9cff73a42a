using System.Security.Cryptography.X509Certificates;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Broker.Security.Sasl;

/// <summary>EXTERNAL (RFC 4422 appendix A): the TLS layer has verified a certificate; the user store says whose it is,
/// or the listener takes the name in it for the user's.</summary>
internal sealed class ExternalServer(
    UserStore? users, Func<X509Certificate2, Identity?>? named, X509Certificate2 certificate) : ISaslServer
{
    public string Mechanism => SaslServers.External;

    public SaslStep Step(ReadOnlySpan<byte> response)
    {
        Identity? identity = users?.FindByCertificate(certificate) ?? named?.Invoke(certificate);
        if (identity is null)
        {
            return SaslStep.Failed("no user has this certificate");
        }

        // The client may name whom it wants to act for: only itself.
        return response.IsEmpty || response.SequenceEqual(Encoding.UTF8.GetBytes(identity.Name))
            ? SaslStep.Succeeded(identity)
            : SaslStep.Failed("acting for another user is not supported");
    }

    public ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation) =>
        throw new InvalidOperationException("nothing to verify");

    public void Dispose()
    {
    }
}
