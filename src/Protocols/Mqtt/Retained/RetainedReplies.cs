using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Protocols.Mqtt.Deliveries;
using Pillarbox.Protocols.Mqtt.Sessions;

namespace Pillarbox.Protocols.Mqtt.Retained;

/// <summary>Retained messages on their way to the new subscriptions of a client (MQTT 5.0 §3.8.3.1). Owned by the
/// connection.</summary>
/// <param name="store">The retained messages.</param>
/// <param name="client">Whose they are to become; what it has published itself it may not want.</param>
/// <param name="own">Where those wait that are to be answered.</param>
/// <param name="output">Where the others go.</param>
/// <param name="stepsMax">Steps of a look-up in one pass.</param>
/// <param name="logger">Where is said what does not come.</param>
internal sealed class RetainedReplies(
    RetainedStore store, BrokerClient client, OwnQueue own, ClientOutput output, int stepsMax, ILogger logger)
{
    private Queue<Sending>? _sendings;

    // One that the disk did not take: it is tried again when the connection is woken.
    private RetainedMessage? _held;
    private bool _isHeld;

    /// <summary>Whether there is one that may be looked for now.</summary>
    public bool CanWrite => _sendings is { Count: > 0 } && own.HasRoom && !_isHeld;

    /// <summary>A subscription begins: it gets what its options ask for.</summary>
    public void Begin(Subscription subscription, bool isNew)
    {
        int handling = subscription.Options.RetainHandling;
        if (subscription.Group is null && (handling == 0 || (handling == 1 && isNew)))
        {
            (_sendings ??= new Queue<Sending>()).Enqueue(
                new Sending(subscription, store.Match(subscription.Filter)));
        }
    }

    /// <summary>Writes some, while the total of bytes written is below a limit; false: there was none.</summary>
    public bool Write(long outputLimit, long nowMs)
    {
        bool wrote = false;
        int steps = stepsMax;
        _isHeld = false;
        while (CanWrite && steps > 0 && output.BytesWritten < outputLimit)
        {
            Sending sending = _sendings!.Peek();
            RetainedMessage? next = _held ?? sending.Cursor.Next(ref steps);
            _held = null;
            if (next is not null)
            {
                wrote |= Send(next, sending.Subscription, nowMs);
            }
            else if (sending.Cursor.AtEnd)
            {
                _sendings.Dequeue();
            }
        }

        return wrote;
    }

    private bool Send(RetainedMessage message, Subscription subscription, long nowMs)
    {
        bool isOwn = message.Publisher == client.PublisherHash;
        if (message.IsExpired(nowMs) || (isOwn && subscription.Options.NoLocal)
            || !MqttMessageMap.TryRead(message.Stored, out MqttMessageMap stored))
        {
            return false;
        }

        int qos = Math.Min(stored.Qos, subscription.Options.Qos);
        if (qos > 0)
        {
            return SendByQueue(message, stored, subscription, (byte)qos);
        }

        var outgoing = new OutgoingPublish
        {
            Message = stored,
            Retain = true,
            MessageExpiry = message.ExpiresAtMs == 0 ? 0 : (uint)((message.ExpiresAtMs - nowMs + 999) / 1000),
            SubscriptionIds = subscription.Id == 0 ? [] : [subscription.Id],
        };
        return output.TryPublish(outgoing);
    }

    // With an answer due it waits in the session's queue like any other message. What that does not take, such as one
    // that is larger than sessions may have, does not come, and the log says so.
    private bool SendByQueue(RetainedMessage message, MqttMessageMap stored, Subscription subscription, byte qos)
    {
        var copy = new MqttMessageMap
        {
            Qos = qos,
            Retain = true,
            IsAsItIs = true,
            Topic = stored.Topic,
            Properties = OwnQueue.PropertiesFor(stored, subscription),
            Payload = stored.Payload,
        };
        BrokerException? refusal = own.Publish(copy, message.ExpiresAtMs, null);
        if (refusal is not null && client.IsStalled)
        {
            (_held, _isHeld) = (message, true);
        }
        else if (refusal is not null)
        {
            Log.RetainedNotSent(logger, client.Info.ClientId, message.Topic, refusal.Message);
        }

        return refusal is null;
    }

    private sealed record Sending(Subscription Subscription, RetainedTree.Cursor Cursor);
}
