using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Hosting.Configuration;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Transport;
using Xunit;

namespace Pillarbox.Hosting.Tests.Listeners;

/// <summary>
/// A server with an echo in the place of each protocol: answers one line with the client's certificate, its
/// address unless it is of this machine, the protocol and the bytes it got.
/// </summary>
internal static class Servers
{
    /// <summary>To be sent for an answer with what the server knows of TLS instead.</summary>
    public const string AskForTls = "tls?";

    public static Task<NodeServer> StartAsync(params (string Name, ListenerConfig Listener)[] listeners) =>
        StartAsync(new LimitsConfig().HandshakeTimeoutMs, listeners);

    public static Task<NodeServer> StartAsync(
        int handshakeTimeoutMs, params (string Name, ListenerConfig Listener)[] listeners)
    {
        var config = new PillarboxConfig
        {
            Listeners = listeners.ToDictionary(l => l.Name, l => l.Listener),
            Limits = new LimitsConfig { HandshakeTimeoutMs = handshakeTimeoutMs },
        };
        ListenerProtocol[] protocols =
        [
            ListenerProtocol.Amqp, ListenerProtocol.Kafka, ListenerProtocol.Mqtt, ListenerProtocol.Stomp,
            ListenerProtocol.OpenWire,
        ];
        var handlers = new NodeHandlers(
            protocols.ToDictionary(
                p => p, p => (Func<ListenerPlan, ConnectionHandler>)(_ => new EchoHandler(NodeProtocols.NameOf(p)))),
            static () => new Greetings(), TimeProvider.System);
        return NodeServer.StartAsync(config, ListenerPlan.Of(config), handlers, NullLoggerFactory.Instance);
    }

    public static Task<StartException> RefusedAsync(params (string Name, ListenerConfig Listener)[] listeners) =>
        Assert.ThrowsAsync<StartException>(() => StartAsync(listeners));

    public static ListenerConfig On(string address, TlsConfig? tls = null) =>
        new() { Addresses = [address], Tls = tls };

    public static async Task<TcpClient> ConnectAsync(NodeEndpoint endpoint)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(endpoint.Address));
        return client;
    }

    public static async Task<string> EchoAsync(Stream stream, string text)
    {
        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text));
        byte[] buffer = new byte[4096];
        int read = await stream.ReadAsync(buffer);
        return read > 0
            ? System.Text.Encoding.UTF8.GetString(buffer, 0, read)
            : throw new EndOfStreamException("the server closed the connection");
    }

    private sealed class EchoHandler(string protocol) : ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            var read = await connection.Transport.Input.ReadAsync();
            if (System.Text.Encoding.UTF8.GetString(read.Buffer.ToArray()) == AskForTls)
            {
                TlsFacts tls = PeerTransport.Describe(connection).Tls!;
                await connection.Transport.Output.WriteAsync(System.Text.Encoding.UTF8.GetBytes(
                    $"{tls.Protocol} {tls.ServerName} {tls.Cipher} {tls.Bits}"));
                return;
            }

            X509Certificate2? certificate = connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
            string from = connection.RemoteEndPoint is IPEndPoint peer && !IPAddress.IsLoopback(peer.Address)
                ? $"@{peer}" : "";
            string prefix = $"{certificate?.Subject ?? "nobody"}{from}:{protocol}:";
            await connection.Transport.Output.WriteAsync(System.Text.Encoding.UTF8.GetBytes(prefix));
            foreach (ReadOnlyMemory<byte> piece in read.Buffer)
            {
                await connection.Transport.Output.WriteAsync(piece);
            }
        }
    }

    private sealed class Greetings : IHttpResources
    {
        public void Map(WebApplication application)
        {
            foreach (string path in (string[])["/hello", "/health/hello", "/healthz", "/metrics"])
            {
                application.Map(path, c => c.Response.WriteAsync("hello"));
            }
        }
    }
}
