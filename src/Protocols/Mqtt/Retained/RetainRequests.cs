using System.Collections.Concurrent;
using Pillarbox.Broker;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>
/// The messages that a client asks to be retained (MQTT 5.0 §3.3.1.3). One that is to be answered is answered when it
/// is on disk both times: as a message and as a retained one. Owned by the connection.
/// </summary>
internal sealed class RetainRequests(RetainedStore store, IMqttConnection connection) : IRetainWaiter
{
    private ConcurrentQueue<(ulong Tag, BrokerException? Error)>? _done;
    private Dictionary<ushort, Awaited>? _awaited;

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

    /// <summary>Publishes a message and retains it, or does neither; false: there is no room to retain it.
    /// <paramref name="publish"/> says why it is not taken, which the broker tells, too.</summary>
    public bool TryPublish(byte qos, ushort packetId, RetainedMessage message, Func<BrokerException?> publish)
    {
        bool isAwaited = qos > 0;
        if (isAwaited)
        {
            _done ??= new ConcurrentQueue<(ulong, BrokerException?)>();
        }

        BrokerException? refusal = null;
        TagKind kind = qos == 1 ? TagKind.PubAck : TagKind.PubRec;
        bool hasRoom = store.TryPublish(
            message, () => refusal = publish(), isAwaited ? this : null, new Tag(kind, packetId).Value);
        if (hasRoom && isAwaited && refusal is null)
        {
            (_awaited ??= [])[packetId] = new Awaited(message, 2, null);
        }

        return hasRoom;
    }

    /// <summary>One of both is on disk, or cannot be; true: the message is answered with the other. An error of either
    /// is that of both, and what was retained before is so again.</summary>
    public bool IsAwaited(ushort id, ref BrokerException? error)
    {
        if (_awaited is null || !_awaited.TryGetValue(id, out Awaited awaited))
        {
            return false;
        }

        if (error is not null && awaited.Error is null)
        {
            store.Decide(awaited.Message, isTaken: false);
        }

        error ??= awaited.Error;
        if (awaited.Left > 1)
        {
            _awaited[id] = awaited with { Left = awaited.Left - 1, Error = error };
            return true;
        }

        _awaited.Remove(id);
        if (error is null)
        {
            store.Decide(awaited.Message, isTaken: true);
        }

        return false;
    }

    /// <summary>The connection is over: what is not decided yet stays.</summary>
    public void Leave()
    {
        foreach (Awaited awaited in _awaited?.Values ?? (IEnumerable<Awaited>)[])
        {
            store.Decide(awaited.Message, isTaken: true);
        }
    }

    private readonly record struct Awaited(RetainedMessage Message, int Left, BrokerException? Error);
}
