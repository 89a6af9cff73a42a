#pragma warning disable RS0030 // the network seam: connections that the node makes
using System.Net;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http.Features;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners.WebSockets;

namespace Pillarbox.Hosting.Dialing;

/// <summary>A WebSocket that the node made (RFC 6455; the AMQP binding's subprotocol <c>amqp</c>), over TLS or not. One
/// owner; it is aborted from any thread.</summary>
internal sealed class DialedWebSocket : WebSocketConnection
{
    private const string Subprotocol = "amqp";

    private readonly ClientWebSocket _socket;
    private readonly HttpMessageInvoker _http;

    private DialedWebSocket(ClientWebSocket socket, HttpMessageInvoker http, IFeatureCollection features)
        : base(socket, features, takesText: false) => (_socket, _http) = (socket, http);

    /// <summary>
    /// Makes one. Throws <see cref="IOException"/> when the place answers something else, or its certificate is not the
    /// right one; <see cref="StartException"/> when a file cannot be used.
    /// </summary>
    /// <param name="place">Where.</param>
    /// <param name="tls">TLS; null: plain.</param>
    /// <param name="connect">Makes the bytes' connection to the place, through a proxy or not.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<DialedWebSocket> ConnectAsync(
        DialPlace place, ConnectorTlsConfig? tls, Func<CancellationToken, Task<Stream>> connect,
        CancellationToken cancellation)
    {
        TlsOptions? options = tls is null ? null : new TlsOptions(place.Host, tls);
        EndPoint? remote = null;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = async (_, stop) =>
            {
                Stream stream = await connect(stop);
                remote = (stream as System.Net.Sockets.NetworkStream)?.Socket.RemoteEndPoint;
                return stream;
            },
        };
        if (options is not null)
        {
            handler.SslOptions = options.Client;
        }

        var http = new HttpMessageInvoker(handler);
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(Subprotocol);
            socket.Options.KeepAliveInterval = WebSocketEndpoint.KeepAlive;
            socket.Options.KeepAliveTimeout = WebSocketEndpoint.KeepAlive;
            var url = new Uri($"{(tls is null ? "ws" : "wss")}://{place.Authority}{place.Path}");
            await socket.ConnectAsync(url, http, cancellation);
            var connection = new DialedWebSocket(socket, http, FeaturesOf(tls)) { RemoteEndPoint = remote };
            connection.Start();
            return connection;
        }
        catch (WebSocketException e)
        {
            socket.Dispose();
            http.Dispose();
            throw Explain(place, e, options);
        }
        catch
        {
            socket.Dispose();
            http.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await FinishAsync();
        _socket.Dispose();
        _http.Dispose();
        await base.DisposeAsync();
    }

    // What lies below says best what went wrong.
    private static IOException Explain(DialPlace place, WebSocketException error, TlsOptions? tls)
    {
        for (Exception? inner = error.InnerException; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AuthenticationException when tls is not null:
                    return tls.Explain(inner);
                case IOException io and not HttpIOException:
                    return new IOException(io.Message, error);
                case System.Net.Sockets.SocketException socket:
                    return new IOException(socket.Message, error);
            }
        }

        return new IOException($"{place} is no WebSocket of AMQP: {error.Message.ReplaceLineEndings(" ")}", error);
    }

    private static FeatureCollection FeaturesOf(ConnectorTlsConfig? tls)
    {
        var features = new FeatureCollection();
        if (tls is not null)
        {
            features.Set<ITlsConnectionFeature>(new ClientSide());
        }

        return features;
    }

    /// <summary>TLS of a connection whose client the node is: nobody logs in here with a certificate.</summary>
    private sealed class ClientSide : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; }

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) =>
            Task.FromResult<X509Certificate2?>(null);
    }
}
