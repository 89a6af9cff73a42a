using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp.Logins;
using Pillarbox.Protocols.Amqp.Wire;
using Xunit;

namespace Pillarbox.Protocols.Amqp.Tests.Logins;

/// <summary>A client's login that another program decides, played by the test.</summary>
public sealed class RelayedLoginTests
{
    private readonly Pipe _toService = new();
    private readonly Pipe _toNode = new();
    private readonly FrameWriter _service;

    public RelayedLoginTests() => _service = new FrameWriter(_toNode.Writer);

    [Fact]
    public async Task Challenges_and_answers_pass_and_the_open_says_who_it_is()
    {
        RelayedLogin login = Begin();
        Say(new SaslMechanisms { ServerMechanisms = ["SCRAM-SHA-1", "PLAIN"] }, withHeader: true);
        Assert.Equal(SaslStatus.Challenge, (await VerifyAsync(login)).Status);
        Assert.Equal(["SCRAM-SHA-1", "PLAIN"], login.Offered);
        Assert.True(login.TryChoose("SCRAM-SHA-1", "client.example"));

        Say(new SaslChallenge { Challenge = "who?"u8.ToArray() });
        SaslStep challenge = await StepAsync(login, "first");
        Assert.Equal((SaslStatus.Challenge, "who?"), (challenge.Status, Text(challenge.Data)));

        Say(new SaslOutcome { Code = SaslCode.Ok, AdditionalData = "proof"u8.ToArray() });
        Say(new Open
        {
            ContainerId = "logins",
            Properties = Properties("ann", ("news", "recv"), ("orders.*", "send")),
        });
        SaslStep end = await StepAsync(login, "second");
        Assert.Equal((SaslStatus.Succeeded, "proof"), (end.Status, Text(end.Data)));
        Assert.Equal(("ann", false), (end.Identity!.Name, end.Identity.IsAnonymous));
        Assert.Equal(["peers"], end.Identity.Roles);
        Assert.NotNull(login.Rights);

        SaslInit init = await HeardAsync<SaslInit>(ProtocolId.Sasl);
        Assert.Equal(("SCRAM-SHA-1", "first", "client.example"),
            (init.Mechanism, Text(init.InitialResponse), init.Hostname));
        Assert.Equal("second", Text((await HeardAsync<SaslResponse>(null)).Response));
        Open open = await HeardAsync<Open>(ProtocolId.Amqp);
        Assert.Equal("ADDRESS-AUTHZ", Assert.Single(open.DesiredCapabilities!));
    }

    [Theory]
    [InlineData(SaslCode.Auth, SaslStatus.Failed)]
    [InlineData(SaslCode.Sys, SaslStatus.Failed)]
    [InlineData(SaslCode.SysTemp, SaslStatus.Busy)]
    public async Task A_refusal_is_one(SaslCode code, SaslStatus status)
    {
        RelayedLogin login = await OfferedAsync();
        Say(new SaslOutcome { Code = code });
        Assert.Equal(status, (await StepAsync(login, "x")).Status);
    }

    [Fact]
    public async Task Who_is_not_named_is_not_let_in()
    {
        RelayedLogin login = await OfferedAsync();
        Say(new SaslOutcome { Code = SaslCode.Ok });
        Say(new Open { ContainerId = "logins" });
        SaslStep end = await StepAsync(login, "x");
        Assert.Equal((SaslStatus.Failed, true), (end.Status, end.Identity is null));
    }

    [Fact]
    public async Task A_mechanism_that_was_not_offered_is_not_taken()
    {
        RelayedLogin login = await OfferedAsync();
        Assert.False(login.TryChoose("EXTERNAL", null));
        Assert.Equal("", login.Mechanism);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("AMQP\u0003\u0001\0\0\0\0\0\u0004\u0002\u0001\0\0")]
    [InlineData("")]
    public async Task A_service_that_speaks_nonsense_lets_nobody_in(string nonsense)
    {
        RelayedLogin login = Begin();
        await _toNode.Writer.WriteAsync(Encoding.Latin1.GetBytes(nonsense), Stop);
        await _toNode.Writer.CompleteAsync();
        Assert.Equal(SaslStatus.Busy, (await VerifyAsync(login)).Status);
    }

    [Fact]
    public async Task A_service_that_is_not_reached_lets_nobody_in()
    {
        using var login = new LoginService("nowhere", _ => throw new IOException("refused")).Begin(All);
        SaslStep step = await VerifyAsync(login);
        Assert.Equal(SaslStatus.Busy, step.Status);
        Assert.Contains("nowhere: refused", step.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_clients_end_ends_a_step_that_waits()
    {
        RelayedLogin login = Begin();
        ValueTask<SaslStep> waits = login.VerifyAsync(Stop);
        login.Dispose();
        Assert.Equal(SaslStatus.Busy, (await waits).Status);
    }

    [Fact]
    public async Task What_may_not_be_used_on_the_clients_connection_is_not_offered()
    {
        RelayedLogin login = Begin(mechanism => mechanism != "EXTERNAL");
        Say(new SaslMechanisms { ServerMechanisms = ["EXTERNAL", "PLAIN"] }, withHeader: true);
        await VerifyAsync(login);
        Assert.Equal(["PLAIN"], login.Offered);
        Assert.False(login.TryChoose("EXTERNAL", null));
    }

    private static bool All(string mechanism) => true;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static ValueTask<SaslStep> VerifyAsync(RelayedLogin login) => login.VerifyAsync(Stop);

    private static ValueTask<SaslStep> StepAsync(RelayedLogin login, string response)
    {
        Assert.Equal(SaslStatus.Verify, login.Step(Encoding.UTF8.GetBytes(response)).Status);
        return login.VerifyAsync(Stop);
    }

    private static AmqpMap Properties(string user, params (string Address, string Right)[] rights)
    {
        var identity = new AmqpMap();
        identity.Add("sub", user);
        var addresses = new AmqpMap();
        foreach ((string address, string right) in rights)
        {
            addresses.Add(address, AmqpValue.Array(new AmqpArray(AmqpType.String, [right])));
        }

        var properties = new AmqpMap();
        properties.AddSymbol("authenticated-identity", AmqpValue.Map(identity));
        properties.AddSymbol("address-authz", AmqpValue.Map(addresses));
        return properties;
    }

    private RelayedLogin Begin() => Begin(All);

    private RelayedLogin Begin(Func<string, bool> isAllowed) => new LoginService(
        "logins", _ => new ValueTask<ConnectionContext>(new Wire(_toNode.Reader, _toService.Writer)))
    {
        Roles = ["peers"],
    }.Begin(isAllowed);

    private async Task<RelayedLogin> OfferedAsync()
    {
        RelayedLogin login = Begin();
        Say(new SaslMechanisms { ServerMechanisms = ["PLAIN"] }, withHeader: true);
        await VerifyAsync(login);
        Assert.True(login.TryChoose("PLAIN", null));
        return login;
    }

    private void Say(ISaslFrame frame, bool withHeader = false)
    {
        if (withHeader)
        {
            _service.Write(new ProtocolHeader(ProtocolId.Sasl));
        }

        _service.Write(frame);
        _toNode.Writer.FlushAsync(Stop).AsTask().Wait(Stop);
    }

    private void Say(Open open)
    {
        _service.Write(new ProtocolHeader(ProtocolId.Amqp));
        _service.Write(open);
        _toNode.Writer.FlushAsync(Stop).AsTask().Wait(Stop);
    }

    // The next frame from the node, behind a header when one is due.
    private async Task<T> HeardAsync<T>(ProtocolId? header)
        where T : class
    {
        ReadResult read = await _toService.Reader.ReadAsync(Stop);
        ReadOnlySequence<byte> bytes = read.Buffer;
        if (header is { } wanted)
        {
            Assert.Equal(HeaderMatch.Found, ProtocolHeader.TryRead(ref bytes, out ProtocolHeader found));
            Assert.Equal(wanted, found.Id);
        }

        Assert.True(Frames.TryReadFrame(ref bytes, 4096, out _, out ReadOnlySequence<byte> body));
        object frame = ReadFrame<T>(body.ToArray());
        _toService.Reader.AdvanceTo(bytes.Start);
        return (T)frame;
    }

    private static object ReadFrame<T>(ReadOnlySpan<byte> body)
    {
        var reader = new AmqpReader(body);
        reader.ReadDescriptor();
        return typeof(T) == typeof(SaslInit) ? SaslInit.ReadFields(ref reader)
            : typeof(T) == typeof(SaslResponse) ? SaslResponse.ReadFields(ref reader)
            : Open.ReadFields(ref reader);
    }

    private sealed class Wire : DefaultConnectionContext, IDuplexPipe
    {
        private readonly PipeReader _input;
        private readonly PipeWriter _output;

        public Wire(PipeReader input, PipeWriter output)
        {
            (_input, _output) = (input, output);
            Transport = this;
        }

        PipeReader IDuplexPipe.Input => _input;

        PipeWriter IDuplexPipe.Output => _output;

        public override void Abort(ConnectionAbortedException abortReason) => _input.CancelPendingRead();
    }
}
