using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>A bare SASL token (after a handshake of version 0): the answer is a bare token too.</summary>
internal sealed class RawSaslCall : ApiCall
{
    private readonly Task<SaslVerdict> _verdict;

    public RawSaslCall(KafkaSession session, ReadOnlySpan<byte> token)
        : base(session, new RequestHeader(ApiKey.SaslAuthenticate, 0, 0, ""))
    {
        _verdict = session.Sasl.StepAsync(session, token.ToArray());
        FrameHold = _verdict;
    }

    public override bool IsFinished => _verdict.IsCompleted;

    // A failed login gets no answer: without a header there is no place for an error.
    public override async ValueTask<bool> FinishAsync()
    {
        SaslVerdict verdict = await _verdict;
        EndsConnection = verdict.Error != ErrorCode.None;
        return !EndsConnection;
    }

    public override void WriteAnswer(KafkaWriter writer) => writer.WriteRaw(_verdict.Result.Data);

    public override void Release()
    {
    }
}
