using System.Buffers;
using Pillarbox.Model;
using Pillarbox.Model.Content;
using Pillarbox.Protocols.Amqp;
using Pillarbox.Protocols.Mqtt.Content;
using Pillarbox.Protocols.OpenWire;
using Pillarbox.Protocols.OpenWire.Content;
using Pillarbox.Protocols.Stomp;

namespace Pillarbox.Hosting;

/// <summary>
/// What reads and writes payloads, one of each format. Those of other protocols than AMQP are made with the first
/// payload of theirs: a node that never sees one does not load the protocol.
/// </summary>
internal static class PayloadFormats
{
    /// <summary>A protocol's messages are read by all others through these.</summary>
    public static IReadOnlyList<IContentMap> Maps { get; } =
    [
        new AmqpContentMap(),
        new LateMap(PayloadFormat.Mqtt, static () => new MqttContentMap()),
        new LateMap(PayloadFormat.OpenWire, static () => new OpenWireContentMap()),
        new LateMap(PayloadFormat.Stomp, static () => new StompContentMap()),
    ];

    /// <summary>What selectors ask for properties.</summary>
    public static IReadOnlyList<IPropertyReader> Readers { get; } =
    [
        new AmqpPropertyReader(),
        new LateReader(PayloadFormat.Mqtt, static () => new MqttPropertyReader()),
        new LateReader(PayloadFormat.OpenWire, static () => new OpenWirePropertyReader()),
        new LateReader(PayloadFormat.Stomp, static () => new StompPropertyReader()),
    ];

    private sealed class LateMap(PayloadFormat format, Func<IContentMap> make) : IContentMap
    {
        private readonly Lazy<IContentMap> _map = new(make);

        public PayloadFormat Format => format;

        public MessageContent? Read(in MessageHeader header, string address, ReadOnlyMemory<byte> payload) =>
            _map.Value.Read(header, address, payload);

        public void Write(
            in MessageHeader header, string address, MessageContent content, IBufferWriter<byte> output) =>
            _map.Value.Write(header, address, content, output);
    }

    private sealed class LateReader(PayloadFormat format, Func<IPropertyReader> make) : IPropertyReader
    {
        private readonly Lazy<IPropertyReader> _reader = new(make);

        public PayloadFormat Format => format;

        public PropertyValue Read(in MessageHeader header, ReadOnlySpan<byte> payload, string name) =>
            _reader.Value.Read(header, payload, name);
    }
}
