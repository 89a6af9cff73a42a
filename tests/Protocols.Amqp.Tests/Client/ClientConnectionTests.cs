using System.Text;
using Pillarbox.Broker.Security;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp.Client;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Client;

/// <summary>The client's end, spoken to by a scripted server: bytes in, bytes out.</summary>
public sealed class ClientConnectionTests
{
    [Fact]
    public void Logs_in_anonymously_and_opens()
    {
        var server = new ScriptedServer();
        ClientConnection client = server.Open(new ClientOptions { ContainerId = "c1", Hostname = "space" });
        Assert.Equal(ClientState.Open, client.State);
        Assert.Equal("ANONYMOUS", server.SaslInit!.Mechanism);
        Assert.Equal("c1", server.PeerOpen!.ContainerId);
        Assert.Equal("space", server.PeerOpen.Hostname);
    }

    [Fact]
    public void Sends_user_and_password_where_the_server_wants_them()
    {
        var server = new ScriptedServer { Mechanisms = ["PLAIN"] };
        var credentials = new SaslCredentials { User = "ann", Password = new Secret("pass") };
        server.Open(new ClientOptions { ContainerId = "c1", Credentials = credentials });
        Assert.Equal("\0ann\0pass", Encoding.UTF8.GetString(server.SaslInit!.InitialResponse!));
    }

    [Fact]
    public void Says_which_logins_the_server_wants_when_it_has_none_of_them()
    {
        var server = new ScriptedServer { Mechanisms = ["GSSAPI"] };
        ClientConnection client = server.Open(new ClientOptions { ContainerId = "c1" });
        Assert.Equal(ClientState.Closed, client.State);
        Assert.Equal(AmqpErrorCondition.UnauthorizedAccess, client.Error!.Condition);
        Assert.Contains("GSSAPI", client.Error.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_so_when_the_server_speaks_something_else()
    {
        var client = new ClientConnection(new ClientOptions { ContainerId = "c1" });
        client.Start();
        client.Receive("HTTP/1.1 400 Bad Request\r\n"u8);
        Assert.Equal(ClientState.Closed, client.State);
        Assert.Equal("the server does not speak AMQP", client.Error!.Description);
    }

    [Fact]
    public void The_conversation_is_the_same_at_every_split_of_the_servers_bytes()
    {
        byte[] whole = OpeningBytes();
        for (int split = 1; split < whole.Length; split++)
        {
            var client = new ClientConnection(new ClientOptions { ContainerId = "c1" });
            client.Start();
            int taken = client.Receive(whole.AsSpan(0, split));
            client.Receive(whole.AsSpan(taken));
            Assert.Equal(ClientState.Open, client.State);
        }
    }

    [Fact]
    public void A_close_of_the_server_is_answered_and_its_reason_kept()
    {
        var server = new ScriptedServer();
        ClientConnection client = server.Open(new ClientOptions { ContainerId = "c1" });
        var error = new AmqpError { Condition = AmqpErrorCondition.ConnectionForced, Description = "going down" };
        server.Send(0, new Close { Error = error });
        Assert.Equal(ClientState.Closed, client.State);
        Assert.Equal(error, client.Error);
        Assert.Equal(Close.DescriptorCode, server.Take().Single().Code);
    }

    private static byte[] OpeningBytes()
    {
        var recorder = new ScriptedServer();
        recorder.Open(new ClientOptions { ContainerId = "c1" });
        return recorder.Sent;
    }
}
