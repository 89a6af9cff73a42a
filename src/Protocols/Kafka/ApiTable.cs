using Pillarbox.Protocols.Kafka.Apis;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>Every API that the node speaks, one line each: the table of contents of <c>Apis/</c>.</summary>
internal static class ApiTable
{
    public static readonly ApiEntry[] All =
    [
        ApiEntry.Of<ProduceRequest, ProduceResponse>(ProduceApi.HandleAsync),
        ApiEntry.Of<FetchRequest, FetchResponse>(FetchApi.HandleAsync),
        ApiEntry.Of<ListOffsetsRequest, ListOffsetsResponse>(ListOffsetsApi.HandleAsync),
        ApiEntry.Of<MetadataRequest, MetadataResponse>(MetadataApi.HandleAsync),
        ApiEntry.Of<SaslHandshakeRequest, SaslHandshakeResponse>(SaslHandshakeApi.HandleAsync, beforeLogin: true),
        ApiEntry.Of<ApiVersionsRequest, ApiVersionsResponse>(ApiVersionsApi.HandleAsync, beforeLogin: true),
        ApiEntry.Of<SaslAuthenticateRequest, SaslAuthenticateResponse>(
            SaslAuthenticateApi.HandleAsync, beforeLogin: true),
    ];

    private static readonly ApiEntry?[] ByKey = Index();

    /// <summary>The API with this key; null when it is not spoken.</summary>
    public static ApiEntry? Find(ApiKey key) => (ushort)key < ByKey.Length ? ByKey[(ushort)key] : null;

    private static ApiEntry?[] Index()
    {
        var byKey = new ApiEntry?[All.Max(entry => (int)entry.Key) + 1];
        foreach (ApiEntry entry in All)
        {
            byKey[(int)entry.Key] = entry;
        }

        return byKey;
    }
}
