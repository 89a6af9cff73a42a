using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// One request on its way to its answer. Stage one runs while the frame is there, in the order of the requests; the
/// rest may finish at any time, and the answers leave in the order of the requests again.
/// </summary>
internal abstract class ApiCall(KafkaSession session, in RequestHeader header)
{
    /// <summary>The connection's session.</summary>
    public KafkaSession Session { get; } = session;

    /// <summary>Key, version, correlation id and client id.</summary>
    public RequestHeader Header { get; } = header;

    /// <summary>The version in which request and answer are written.</summary>
    public short Version => Header.Version;

    /// <summary>Set in stage one when the frame is needed until then; the next request is not read before.</summary>
    public Task? FrameHold { get; set; }

    /// <summary>Bytes of the request.</summary>
    public int FrameBytes { get; set; }

    /// <summary>For how long the client is held back, in milliseconds: the answer says so.</summary>
    public int ThrottleMs { get; set; }

    /// <summary>The connection ends after the answer.</summary>
    public bool EndsConnection { get; set; }

    /// <summary>Whether awaiting <see cref="FinishAsync"/> would not wait.</summary>
    public abstract bool IsFinished { get; }

    /// <summary>Waits for the answer; false: the request has none.</summary>
    public abstract ValueTask<bool> FinishAsync();

    /// <summary>Writes header and body of the answer.</summary>
    public abstract void WriteAnswer(KafkaWriter writer);

    /// <summary>The answer has left, or never will: what it holds is given back.</summary>
    public abstract void Release();
}

/// <summary>A call whose answer is a declared message.</summary>
internal sealed class ApiCall<TResponse>(KafkaSession session, in RequestHeader header) : ApiCall(session, header)
    where TResponse : class, IKafkaMessage<TResponse>
{
    private ValueTask<TResponse?> _task;
    private TResponse? _response;
    private bool _taken;

    public override bool IsFinished => _taken || _task.IsCompleted;

    /// <summary>Begins to work for the answer.</summary>
    public void Begin(ValueTask<TResponse?> task) => _task = task;

    /// <summary>The answer is there.</summary>
    public void Answer(TResponse response) => (_response, _taken) = (response, true);

    public override async ValueTask<bool> FinishAsync()
    {
        if (!_taken)
        {
            _taken = true;
            _response = await _task;
        }

        return _response is not null;
    }

    public override void WriteAnswer(KafkaWriter writer)
    {
        if (ThrottleMs > 0 && _response is IThrottled throttled)
        {
            throttled.ThrottleTimeMs = ThrottleMs;
        }

        writer.WriteInt32(Header.CorrelationId);
        if (Version >= TResponse.FlexibleFrom && Header.Key != ApiKey.ApiVersions)
        {
            writer.WriteUnsignedVarint(0);
        }

        _response!.Write(writer, Version);
    }

    public override void Release()
    {
        (_response as IDisposable)?.Dispose();
        _response = null;
    }
}
