using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Logins;

/// <summary>
/// One client's login at a <see cref="LoginService"/>: what the client says is handed on, and what the service says
/// comes back, until its outcome; behind that its open says who the client is.
///
///     client    SASL header              init      (response)*            outcome
///     node                  mechanisms       (challenge)*
///     service   SASL header, mechanisms, init, ..., outcome, AMQP header, open
///
/// Each step waits for the service, in <see cref="VerifyAsync"/>. Owned by the client's connection; it is disposed with
/// it, also while a step waits.
/// </summary>
internal sealed class RelayedLogin(LoginService service, Func<string, bool> isAllowed) : ISaslServer
{
    private const uint SaslFrameBytesMax = 64 << 10;
    private const uint OpenBytesMax = 1 << 20;

    private ConnectionContext? _connection;
    private byte[] _response = [];
    private string? _hostname;
    private bool _isInitSent;
    private volatile bool _isOver;

    /// <summary>The mechanism that the client chose; empty before.</summary>
    public string Mechanism { get; private set; } = "";

    /// <summary>What the service offers and the client may use; there from the first step on.</summary>
    public IReadOnlyList<string> Offered { get; private set; } = [];

    /// <summary>What the client may do; null: as everybody.</summary>
    public LoginRights? Rights { get; private set; }

    /// <summary>The client chooses one of those that are offered; false: it is none.</summary>
    /// <param name="mechanism">Which.</param>
    /// <param name="hostname">The host that it names in its sasl-init; null: none.</param>
    public bool TryChoose(string mechanism, string? hostname)
    {
        _hostname = hostname;
        Mechanism = Offered.Contains(mechanism) ? mechanism : "";
        return Mechanism.Length > 0;
    }

    /// <inheritdoc/>
    public SaslStep Step(ReadOnlySpan<byte> response)
    {
        _response = response.ToArray();
        return new SaslStep(SaslStatus.Verify);
    }

    /// <summary>The first time: connects, and a challenge without data says that the offer is there. Later: hands the
    /// client's word on and brings the service's.</summary>
    public async ValueTask<SaslStep> VerifyAsync(CancellationToken cancellation)
    {
        try
        {
            if (_connection is null)
            {
                await ConnectAsync(cancellation);
                return new SaslStep(SaslStatus.Challenge);
            }

            return await HandOnAsync(_connection.Transport, cancellation);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
            or ConnectionAbortedException or ConnectionResetException or InvalidOperationException or AmqpException)
        {
            return new SaslStep(SaslStatus.Busy, Reason: $"the login service {service.Name}: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        _connection?.Abort();
    }

    private async Task ConnectAsync(CancellationToken cancellation)
    {
        ConnectionContext connection = await service.DialAsync(cancellation);
        _connection = connection;
        if (_isOver)
        {
            connection.Abort();
            return;
        }

        IDuplexPipe transport = connection.Transport;
        new FrameWriter(transport.Output).Write(new ProtocolHeader(ProtocolId.Sasl));
        await transport.Output.FlushAsync(cancellation);
        await ReadHeaderAsync(transport.Input, ProtocolId.Sasl, cancellation);
        byte[] frame = await ReadFrameAsync(transport.Input, SaslFrameBytesMax, cancellation);
        Offered = [.. ReadMechanisms(frame).Where(isAllowed)];
    }

    private async ValueTask<SaslStep> HandOnAsync(IDuplexPipe transport, CancellationToken cancellation)
    {
        var frames = new FrameWriter(transport.Output);
        if (_isInitSent)
        {
            frames.Write(new SaslResponse { Response = _response });
        }
        else
        {
            _isInitSent = true;
            frames.Write(new SaslInit
            {
                Mechanism = Mechanism,
                InitialResponse = _response.Length == 0 ? null : _response,
                Hostname = service.Realm ?? _hostname,
            });
        }

        _response = [];
        await transport.Output.FlushAsync(cancellation);
        byte[] answer = await ReadFrameAsync(transport.Input, SaslFrameBytesMax, cancellation);
        if (TryReadOutcome(answer, out SaslOutcome outcome) is { } challenge)
        {
            return new SaslStep(SaslStatus.Challenge, challenge);
        }

        if (outcome.Code != SaslCode.Ok)
        {
            SaslStatus status = outcome.Code == SaslCode.SysTemp ? SaslStatus.Busy : SaslStatus.Failed;
            return new SaslStep(status, Reason: $"the login service {service.Name} refuses ({(int)outcome.Code})");
        }

        return await LearnAsync(transport, outcome.AdditionalData ?? [], cancellation);
    }

    // The service's open says who the client is; nothing more is wanted of it.
    private async ValueTask<SaslStep> LearnAsync(
        IDuplexPipe transport, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        var frames = new FrameWriter(transport.Output);
        frames.Write(new ProtocolHeader(ProtocolId.Amqp));
        frames.Write(new Open
        {
            ContainerId = service.ContainerId,
            Hostname = service.Hostname,
            DesiredCapabilities = [LoginAnswer.Capability],
        });
        await transport.Output.FlushAsync(cancellation);
        await ReadHeaderAsync(transport.Input, ProtocolId.Amqp, cancellation);
        byte[] frame = await ReadFrameAsync(transport.Input, OpenBytesMax, cancellation);
        LoginAnswer answer = ReadOpen(frame);
        frames.Write(new Close());
        await transport.Output.FlushAsync(cancellation);
        Rights = answer.Rights;
        return answer.User is { } user
            ? new SaslStep(SaslStatus.Succeeded, data, new Identity(user, [.. service.Roles], IsAnonymous: false))
            : new SaslStep(SaslStatus.Failed, Reason: $"the login service {service.Name} does not say who it is");
    }

    private static string[] ReadMechanisms(ReadOnlySpan<byte> frame)
    {
        var reader = new AmqpReader(frame);
        return reader.ReadDescriptor() == SaslMechanisms.DescriptorCode
            ? SaslMechanisms.ReadFields(ref reader).ServerMechanisms
            : throw new AmqpException(AmqpErrorCondition.IllegalState, "no mechanisms are offered");
    }

    // A challenge, or null with the outcome.
    private static byte[]? TryReadOutcome(ReadOnlySpan<byte> frame, out SaslOutcome outcome)
    {
        var reader = new AmqpReader(frame);
        outcome = new SaslOutcome { Code = SaslCode.Sys };
        switch (reader.ReadDescriptor())
        {
            case SaslChallenge.DescriptorCode:
                return SaslChallenge.ReadFields(ref reader).Challenge;
            case SaslOutcome.DescriptorCode:
                outcome = SaslOutcome.ReadFields(ref reader);
                return null;
            default:
                throw new AmqpException(AmqpErrorCondition.IllegalState, "neither a challenge nor an outcome");
        }
    }

    private static LoginAnswer ReadOpen(ReadOnlySpan<byte> frame)
    {
        var reader = new AmqpReader(frame);
        return reader.ReadDescriptor() == Open.DescriptorCode
            ? LoginAnswer.Read(Open.ReadFields(ref reader))
            : throw new AmqpException(AmqpErrorCondition.IllegalState, "it does not open");
    }

    private static async ValueTask ReadHeaderAsync(PipeReader input, ProtocolId wanted, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult read = await ReadAsync(input, cancellation);
            ReadOnlySequence<byte> bytes = read.Buffer;
            HeaderMatch match = ProtocolHeader.TryRead(ref bytes, out ProtocolHeader header);
            if (match == HeaderMatch.Found && header == new ProtocolHeader(wanted))
            {
                input.AdvanceTo(bytes.Start);
                return;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (match != HeaderMatch.NeedMore || read.IsCompleted)
            {
                throw new IOException($"it does not speak {wanted}");
            }
        }
    }

    private static async ValueTask<byte[]> ReadFrameAsync(
        PipeReader input, uint bytesMax, CancellationToken cancellation)
    {
        while (true)
        {
            ReadResult read = await ReadAsync(input, cancellation);
            ReadOnlySequence<byte> bytes = read.Buffer;
            if (Frames.TryReadFrame(ref bytes, bytesMax, out _, out ReadOnlySequence<byte> body))
            {
                byte[] frame = body.ToArray();
                input.AdvanceTo(bytes.Start);
                return frame;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
            {
                throw new IOException("it has ended the connection");
            }
        }
    }

    private static async ValueTask<ReadResult> ReadAsync(PipeReader input, CancellationToken cancellation)
    {
        ReadResult read = await input.ReadAsync(cancellation);
        return read.IsCanceled ? throw new IOException("the client has gone") : read;
    }
}
