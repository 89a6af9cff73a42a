#pragma warning disable RS0030 // the network seam: connections that the node makes
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Transport;

namespace Pillarbox.Hosting.Dialing;

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
        Transport = new DuplexPipe(PipeReader.Create(stream), PipeWriter.Create(stream));
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        Features.Set<ITlsConnectionFeature>(this);
        Features.Set(TlsFacts.Of(stream.SslProtocol, stream.NegotiatedCipherSuite));
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
    /// off; <see cref="StartException"/> when a file cannot be used.</summary>
    public static async Task<ConnectionContext> HandshakeAsync(
        NetworkStream network, string host, ConnectorTlsConfig tls, CancellationToken cancellation)
    {
        var options = new TlsOptions(host, tls);
        var stream = new SslStream(network, leaveInnerStreamOpen: false);
        try
        {
            await stream.AuthenticateAsClientAsync(options.Client, cancellation);
            return new TlsConnection(stream, network.Socket);
        }
        catch (AuthenticationException e)
        {
            await stream.DisposeAsync();
            throw options.Explain(e);
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
}
