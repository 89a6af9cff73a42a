using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Tests.Peers;

/// <summary>Connections that a node keeps.</summary>
public sealed class ConnectorTests
{
    [Fact]
    public async Task Place_that_does_not_answer_is_called_again()
    {
        using var node = new AmqpScene();
        using var stop = new CancellationTokenSource();
        int calls = 0;
        var options = new ConnectorOptions
        {
            Name = "far",
            Plan = new ConnectionPlan(ConnectionRole.InterRouter, IsInitiator: true),
            Targets = [new ConnectorTarget("far", HangAsync)],
        };
        Task run = new Connector(node.Handler, options, node.Clock, NullLogger.Instance).RunAsync(stop.Token);

        // Time that nobody lets pass changes nothing.
        Assert.Equal(1, calls);
        // Five seconds for an answer, and five before the next call.
        for (int i = 0; i < 201; i++)
        {
            node.Clock.Advance(100);
        }

        Assert.Equal(3, calls);
        await stop.CancelAsync();
        await run;

        async ValueTask<ConnectionContext> HangAsync(CancellationToken cancellation)
        {
            calls++;
            var silence = new TaskCompletionSource<ConnectionContext>();
            using CancellationTokenRegistration end = cancellation.Register(() => silence.TrySetCanceled(cancellation));
            return await silence.Task;
        }
    }
}
