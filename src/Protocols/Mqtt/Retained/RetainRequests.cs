using System.Collections.Concurrent;
using System.Text;
using Pillarbox.Broker;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>
/// The messages that a client asks to be retained (MQTT 5.0 §3.3.1.3). One that is to be answered is answered when it
/// is on disk both times: as a message and as a retained one. Owned by the connection.
/// </summary>
internal sealed class RetainRequests(
    RetainedStore store, BrokerClient client, MessageBroker broker, IMqttConnection connection) : IRetainWaiter
{
    private ConcurrentQueue<(ulong Tag, BrokerException? Error)>? _done;
    private Dictionary<ushort, (int Left, BrokerException? Error)>? _awaited;

    /// <summary>Whether some are on disk, and the client has not been told. Any thread.</summary>
    public bool HasDone => _done is { IsEmpty: false };

    /// <inheritdoc/>
    void IRetainWaiter.OnRetained(ulong tag, BrokerException? error)
    {
        _done!.Enqueue((tag, error));
        connection.Wake();
    }

    /// <summary>The next that is on disk, or cannot be.</summary>
    public bool TryTakeDone(out Tag tag, out BrokerException? error)
    {
        (tag, error) = (default, null);
        if (_done is null || !_done.TryDequeue(out (ulong Tag, BrokerException? Error) done))
        {
            return false;
        }

        (tag, error) = (Tag.From(done.Tag), done.Error);
        return true;
    }

    /// <summary>Retains a message that is published next; false: there is no room for it.</summary>
    public bool TrySet(in PublishPacket packet, ReadOnlySpan<byte> stored, long expiresAtMs, KnownTopic topic)
    {
        string text = Encoding.UTF8.GetString(topic.Topic);
        var message = new RetainedMessage(text, stored.ToArray(), expiresAtMs, client.PublisherHash);
        if (!MaySend(topic.Address))
        {
            // The publish is refused for the same reason, and answered.
            return true;
        }

        bool isAwaited = packet.Qos > 0;
        if (isAwaited)
        {
            _done ??= new ConcurrentQueue<(ulong, BrokerException?)>();
            (_awaited ??= [])[packet.PacketId] = (2, null);
        }

        TagKind kind = packet.Qos == 1 ? TagKind.PubAck : TagKind.PubRec;
        if (store.Set(message, isAwaited ? this : null, new Tag(kind, packet.PacketId).Value))
        {
            return true;
        }

        if (isAwaited)
        {
            _awaited!.Remove(packet.PacketId);
        }

        return false;
    }

    /// <summary>One of both is on disk, or cannot be; true: the message is answered with the other. An error of either
    /// is that of both.</summary>
    public bool IsAwaited(ushort id, ref BrokerException? error)
    {
        if (_awaited is null || !_awaited.TryGetValue(id, out (int Left, BrokerException? Error) awaited))
        {
            return false;
        }

        error ??= awaited.Error;
        if (awaited.Left > 1)
        {
            _awaited[id] = (awaited.Left - 1, error);
            return true;
        }

        _awaited.Remove(id);
        return false;
    }

    private bool MaySend(string address) => broker.Authorizer.IsAllowed(
        client.Info.Identity, Broker.Security.Permission.Send, client.Info.AddressSpace,
        new AddressName(address, null));
}
