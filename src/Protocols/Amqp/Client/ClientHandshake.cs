using Pillarbox.Broker.Security.Sasl;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Client;

/// <summary>
/// Protocol headers and login (part 2 section 2.2, part 5 section 5.3): pure, one step for each header or SASL frame.
///
///     client  SASL header             SASL init       (response)*            AMQP header
///     server             SASL header + mechanisms   (challenge)*   outcome               AMQP header
/// </summary>
internal sealed class ClientHandshake(ClientOptions options, ByteQueue output)
{
    // Section 5.3.1: SASL frames are at most 512 bytes; some servers' lists of mechanisms are longer.
    private const uint SaslFrameBytesMax = 4096;
    private Expected _expected = Expected.SaslHeader;
    private ISaslClient? _mechanism;

    private enum Expected
    {
        SaslHeader,
        Mechanisms,
        ChallengeOrOutcome,
        AmqpHeader,
        Nothing,
    }

    public bool IsComplete => _expected == Expected.Nothing;

    /// <summary>Why the server does not let us in, once that is known.</summary>
    public AmqpError? Refusal { get; private set; }

    /// <summary>The mechanism that was chosen; null: none yet.</summary>
    public string? Mechanism => _mechanism?.Mechanism;

    public void Start() => output.Append(ProtocolHeader.Sasl);

    /// <summary>Takes one header or frame; returns its bytes, or 0 when more are needed.</summary>
    public int Receive(ReadOnlySpan<byte> input)
    {
        if (_expected is Expected.SaslHeader or Expected.AmqpHeader)
        {
            return ReceiveHeader(input);
        }
        if (!Frames.TryReadFrame(input, SaslFrameBytesMax, out FrameHeader header, out ReadOnlySpan<byte> body))
        {
            return 0;
        }
        OnFrame(header, body);
        return (int)header.Size;
    }

    private int ReceiveHeader(ReadOnlySpan<byte> input)
    {
        if (input.Length < ProtocolHeader.Bytes)
        {
            return 0;
        }
        ReadOnlySpan<byte> wanted = _expected == Expected.SaslHeader ? ProtocolHeader.Sasl : ProtocolHeader.Amqp;
        if (!input.StartsWith(wanted))
        {
            Refuse(AmqpErrorCondition.NotImplemented, input.StartsWith("AMQP"u8)
                ? "the server speaks another version of AMQP, or wants no SASL"
                : "the server does not speak AMQP");
        }
        else
        {
            _expected = _expected == Expected.SaslHeader ? Expected.Mechanisms : Expected.Nothing;
        }
        return ProtocolHeader.Bytes;
    }

    private void OnFrame(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        try
        {
            OnSaslFrame(header, body);
        }
        catch (SaslException e)
        {
            Refuse(AmqpErrorCondition.UnauthorizedAccess, e.Message);
        }
    }

    private void OnSaslFrame(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        if (header.Type != FrameType.Sasl)
        {
            throw new AmqpException(AmqpErrorCondition.ConnectionFramingError, "another frame where SASL is due");
        }
        AmqpReader reader = new(body);
        ulong code = reader.ReadDescriptor();
        switch (code)
        {
            case SaslMechanisms.DescriptorCode when _expected == Expected.Mechanisms:
                Choose(SaslMechanisms.ReadFields(ref reader).ServerMechanisms);
                break;
            case SaslChallenge.DescriptorCode when _expected == Expected.ChallengeOrOutcome:
                Answer(SaslChallenge.ReadFields(ref reader).Challenge);
                break;
            case SaslOutcome.DescriptorCode when _expected == Expected.ChallengeOrOutcome:
                OnOutcome(SaslOutcome.ReadFields(ref reader));
                break;
            default:
                throw new AmqpException(AmqpErrorCondition.IllegalState, $"SASL frame 0x{code:x} out of order");
        }
    }

    private void Choose(string[] offered)
    {
        string[] usable = options.Mechanisms.Count == 0 ? offered
            : [.. offered.Where(options.Mechanisms.Contains)];
        _mechanism = SaslClients.Choose(usable, options.Credentials, options.Random);
        if (_mechanism is null)
        {
            Refuse(AmqpErrorCondition.UnauthorizedAccess, $"the server wants a login by {string.Join(", ", offered)}");
            return;
        }
        SaslInit init = new()
        {
            Mechanism = _mechanism.Mechanism,
            InitialResponse = _mechanism.Start(),
            Hostname = options.Hostname,
        };
        AmqpWriter writer = new(output);
        int mark = writer.BeginFrame(FrameType.Sasl, 0);
        init.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
        _expected = Expected.ChallengeOrOutcome;
    }

    private void Answer(byte[] challenge)
    {
        AmqpWriter writer = new(output);
        int mark = writer.BeginFrame(FrameType.Sasl, 0);
        new SaslResponse { Response = _mechanism!.Step(challenge) }.Write(ref writer);
        writer.EndFrame(mark);
        writer.Commit();
    }

    private void OnOutcome(SaslOutcome outcome)
    {
        if (outcome.Code != SaslCode.Ok)
        {
            Refuse(AmqpErrorCondition.UnauthorizedAccess, outcome.Code == SaslCode.Auth
                ? "the server does not accept this user or password"
                : $"the server could not check the login (SASL code {(int)outcome.Code})");
        }
        else
        {
            _mechanism!.Finish(outcome.AdditionalData);
            output.Append(ProtocolHeader.Amqp);
            _expected = Expected.AmqpHeader;
        }
    }

    private void Refuse(string condition, string description) =>
        Refusal = new AmqpError { Condition = condition, Description = description };
}
