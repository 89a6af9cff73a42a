namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>
/// The header of a request: int16 API key, int16 version, int32 correlation id, nullable string client id (with a
/// two-byte length even where the body is flexible) and, before a flexible body, tagged fields.
/// </summary>
internal readonly record struct RequestHeader(ApiKey Key, short Version, int CorrelationId, string ClientId)
{
    /// <summary>The part that every version of every API has.</summary>
    public const int FixedBytes = 8;

    /// <summary>Reads key, version and correlation id.</summary>
    public static RequestHeader ReadFixed(scoped ref KafkaReader reader) =>
        new((ApiKey)reader.ReadInt16(), reader.ReadInt16(), reader.ReadInt32(), "");

    /// <summary>Reads what follows.</summary>
    public RequestHeader ReadRest(scoped ref KafkaReader reader, bool isFlexible)
    {
        RequestHeader whole = this with { ClientId = reader.ReadNullableString() ?? "" };
        if (isFlexible)
        {
            reader.SkipTags();
        }

        return whole;
    }

    /// <summary>Writes the header, as a client does.</summary>
    public void Write(KafkaWriter writer, bool isFlexible)
    {
        writer.WriteInt16((short)Key);
        writer.WriteInt16(Version);
        writer.WriteInt32(CorrelationId);
        writer.WriteNullableString(ClientId);
        if (isFlexible)
        {
            writer.WriteUnsignedVarint(0);
        }
    }
}
