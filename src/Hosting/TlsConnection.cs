#pragma warning disable RS0030 // the network seam: connections that the node makes
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;

namespace Pillarbox.Hosting;

/// <summary>A connection that the node made, over TLS 1.2 or newer. One owner;
/// <see cref="Abort(ConnectionAbortedException)"/>
/// from any thread.</summary>
internal sealed class TlsConnection : ConnectionContext, ITlsConnectionFeature
{
    private readonly SslStream _stream;
    private readonly Socket _socket;

    private TlsConnection(SslStream stream, Socket socket)
    {
        _stream = stream;
        _socket = socket;
        Transport = new StreamPipes(PipeReader.Create(stream), PipeWriter.Create(stream));
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        Features.Set<ITlsConnectionFeature>(this);
    }

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = "";

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <summary>Nobody logs in here with a certificate: the node is the client.</summary>
    X509Certificate2? ITlsConnectionFeature.ClientCertificate { get; set; }

    /// <summary>Agrees on TLS. Throws <see cref="IOException"/> when the other end is not whom it should be, or breaks
    /// off.</summary>
    public static async Task<ConnectionContext> HandshakeAsync(
        Socket socket, string host, ConnectorTlsConfig tls, CancellationToken cancellation)
    {
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsClientAsync(OptionsOf(host, tls), cancellation);
            return new TlsConnection(stream, socket);
        }
        catch (AuthenticationException e)
        {
            await stream.DisposeAsync();
            throw new IOException($"TLS with {host}: {e.Message}", e);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _socket.Close();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await base.DisposeAsync();
    }

    Task<X509Certificate2?> ITlsConnectionFeature.GetClientCertificateAsync(CancellationToken cancellationToken) =>
        Task.FromResult<X509Certificate2?>(null);

    private static SslClientAuthenticationOptions OptionsOf(string host, ConnectorTlsConfig tls)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (tls.Authorities is { } file)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(CertificateLoader.LoadAuthorities(file));
        }

        if (!tls.VerifyName)
        {
            options.RemoteCertificateValidationCallback = static (_, _, _, faults) =>
                (faults & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None;
        }

        if (tls.Certificate is { } certificate)
        {
            (X509Certificate2 own, X509Certificate2Collection chain) = CertificateLoader.Load(new TlsConfig
            {
                Certificate = certificate,
                Key = tls.Key,
                PasswordFile = tls.PasswordFile,
                Password = tls.Password,
            });
            options.ClientCertificateContext = SslStreamCertificateContext.Create(own, chain, offline: true);
        }

        return options;
    }

    private sealed record StreamPipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
