using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Pillarbox.Fuzz.Amqp.Scene;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Amqp.Wire;
using Pillarbox.Router.Peers;

namespace Pillarbox.Router.Tests.Peers;

/// <summary>Connections that a node keeps.</summary>
public sealed class ConnectorTests
{
    // mechanisms: ANONYMOUS; outcome: ok (part 5 sections 5.3.3.1 and 5.3.3.6)
    private static readonly byte[] Offer = [0, 0x53, 0x40, 0xc0, 12, 1, 0xa3, 9, .. "ANONYMOUS"u8];
    private static readonly byte[] LetIn = [0, 0x53, 0x44, 0xc0, 3, 1, 0x50, 0];

    [Fact]
    public async Task Open_names_the_host_of_the_place()
    {
        using var node = new AmqpScene();
        using var stop = new CancellationTokenSource();
        var pipe = new PipeOptions(
            readerScheduler: node.Scheduler, writerScheduler: node.Scheduler, useSynchronizationContext: false);
        var toNode = new Pipe(pipe);
        var fromNode = new Pipe(pipe);
        byte[] sasl = [(byte)'A', (byte)'M', (byte)'Q', (byte)'P', 3, 1, 0, 0];
        byte[] login =
        [
            .. sasl, .. FrameBytes.Raw(Offer, type: FrameType.Sasl), .. FrameBytes.Raw(LetIn, type: FrameType.Sasl),
            .. ProtocolHeader.Amqp,
        ];
        await toNode.Writer.WriteAsync(login, TestContext.Current.CancellationToken);
        var options = new ConnectorOptions
        {
            Name = "far",
            Plan = new ConnectionPlan(ConnectionRole.RouteContainer, IsInitiator: true),
            Targets =
            [
                new ConnectorTarget(
                    "far", _ => new ValueTask<ConnectionContext>(new Wire(toNode.Reader, fromNode.Writer)))
                {
                    Hostname = "far.example",
                },
            ],
        };
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        Task run = new Connector(node.Handler, options, node.Clock, NullLogger.Instance).RunAsync(stop.Token);
        node.Settle();
        SynchronizationContext.SetSynchronizationContext(context);

        Assert.True(fromNode.Reader.TryRead(out ReadResult read));
        string said = Encoding.Latin1.GetString(read.Buffer);
        fromNode.Reader.AdvanceTo(read.Buffer.End);
        Assert.Contains("far.example", said.Split("AMQP\0")[1], StringComparison.Ordinal);
        await stop.CancelAsync();
        await toNode.Writer.CompleteAsync();
        node.Settle();
        await run.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    private sealed class Wire : DefaultConnectionContext
    {
        public Wire(PipeReader input, PipeWriter output) => Transport = new Ends(input, output);

        public override void Abort(ConnectionAbortedException abortReason) => Transport.Input.CancelPendingRead();

        private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
    }

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
