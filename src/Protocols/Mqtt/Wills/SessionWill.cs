using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Wills;

/// <summary>The will of a client that is connected (MQTT 5.0 §3.1.2.5, §3.1.3.2.2): published, or left to its delay,
/// when the connection ends, unless the client says goodbye. Owned by the connection.</summary>
internal sealed class SessionWill(
    MqttEnvironment environment, SessionQueues queues, RetainedStore retained, WillMessage will)
{
    private bool _isForgotten;

    /// <summary>The client said goodbye: nothing is published.</summary>
    public void Forget() => _isForgotten = true;

    /// <summary>The connection is over: what the disk does not take now is no reason to keep the rest of the session.
    /// </summary>
    public void Leave(ClientKey key, Producer producer, long nowMs)
    {
        if (_isForgotten)
        {
            return;
        }

        _isForgotten = true;
        try
        {
            Publish(key, producer, nowMs);
        }
        catch (BrokerException refusal)
        {
            Log.WillRefused(environment.Logger, key.ClientId, refusal.Message);
        }
    }

    private void Publish(ClientKey key, Producer producer, long nowMs)
    {
        BrokerClient client = queues.Client;
        long delayMs = Math.Min(will.DelayInterval, queues.ExpirySeconds) * 1000L;
        if (delayMs > 0 && environment.Wills.Put(key, new DueWill(client.Info, will, nowMs + delayMs)))
        {
            return;
        }

        (MessageHeader header, byte[] stored, string address) = WillDeparture.Encode(will, nowMs);
        BrokerException? refusal = null;
        BrokerException? Send() => refusal = client.Publish(
            producer, header, new ReadOnlySequence<byte>(stored), 0, address);
        var message = new RetainedMessage(will.Topic, stored, header.ExpiresAtMs, client.PublisherHash);
        if (!will.Retain || !retained.TryPublish(message, Send, null, 0))
        {
            // Also where there is no room to retain it.
            Send();
        }

        if (refusal is not null)
        {
            throw refusal;
        }
    }
}
