using Pillarbox.Protocols.Kafka.Wire;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// What answers a request. Runs its first part, up to the first wait, in the order of the connection's requests and
/// while views of the frame are valid. A null answer means that the request has none.
/// </summary>
internal delegate ValueTask<TResponse?> ApiHandler<in TRequest, TResponse>(ApiCall call, TRequest request);

/// <summary>An API that the node speaks: its key, its versions and what answers it. Immutable.</summary>
internal abstract class ApiEntry(ApiKey key, short versionMin, short versionMax)
{
    public ApiKey Key { get; } = key;

    public short VersionMin { get; } = versionMin;

    public short VersionMax { get; } = versionMax;

    /// <summary>Whether a peer that must log in may send it before it has.</summary>
    public bool BeforeLogin { get; init; }

    /// <summary>Reads the rest of the frame and begins to answer.</summary>
    public abstract ApiCall Begin(KafkaSession session, RequestHeader header, ref KafkaReader reader);

    /// <summary>An API with all versions that its codec knows, or up to a lower one.</summary>
    public static ApiEntry Of<TRequest, TResponse>(
        ApiHandler<TRequest, TResponse> handler, short versionMax = short.MaxValue, bool beforeLogin = false)
        where TRequest : class, IKafkaMessage<TRequest>
        where TResponse : class, IKafkaMessage<TResponse> =>
        new ApiEntry<TRequest, TResponse>(handler, Math.Min(versionMax, TRequest.VersionMax))
        {
            BeforeLogin = beforeLogin,
        };
}

/// <summary>An API with its declared request and answer.</summary>
internal sealed class ApiEntry<TRequest, TResponse>(ApiHandler<TRequest, TResponse> handler, short versionMax)
    : ApiEntry(TRequest.Key, TRequest.VersionMin, versionMax)
    where TRequest : class, IKafkaMessage<TRequest>
    where TResponse : class, IKafkaMessage<TResponse>
{
    public override ApiCall Begin(KafkaSession session, RequestHeader header, ref KafkaReader reader)
    {
        RequestHeader whole = header.ReadRest(ref reader, header.Version >= TRequest.FlexibleFrom);
        TRequest request = TRequest.Read(ref reader, whole.Version);
        reader.End();
        var call = new ApiCall<TResponse>(session, whole);
        call.Begin(handler(call, request));
        return call;
    }
}
