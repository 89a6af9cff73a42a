namespace Pillarbox.Protocols.Kafka.Wire;

/// <summary>What Wire.Generator writes for each declared request and response.</summary>
internal interface IKafkaMessage<TSelf>
    where TSelf : IKafkaMessage<TSelf>
{
    /// <summary>The API.</summary>
    static abstract ApiKey Key { get; }

    /// <summary>The first version that the codec knows.</summary>
    static abstract short VersionMin { get; }

    /// <summary>The last version that the codec knows.</summary>
    static abstract short VersionMax { get; }

    /// <summary>The first version with compact lengths and tagged fields; <see cref="short.MaxValue"/>: none.</summary>
    static abstract short FlexibleFrom { get; }

    /// <summary>Reads a body. Throws <see cref="KafkaException"/> when the bytes are not one.</summary>
    static abstract TSelf Read(scoped ref KafkaReader reader, short version);

    /// <summary>Writes the body. Fields that the version does not have are left out.</summary>
    void Write(KafkaWriter writer, short version);
}
