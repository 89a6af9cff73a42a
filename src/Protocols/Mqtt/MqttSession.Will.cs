using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wills;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt;

/// <content>The will (MQTT 5.0 §3.1.2.5, §3.1.3.2.2).</content>
internal sealed partial class MqttSession
{
    private WillMessage? _will;

    /// <summary>The client said goodbye: nothing is published.</summary>
    public void ForgetWill() => _will = null;

    // The connection is over: what the disk does not take now is no reason to keep the rest of the session.
    private void LeaveWill(ClientKey key)
    {
        try
        {
            PublishWill(key);
        }
        catch (BrokerException refusal)
        {
            Log.WillRefused(_environment.Logger, key.ClientId, refusal.Message);
        }
    }

    private void PublishWill(ClientKey key)
    {
        if (_will is not { } will || !_isStarted)
        {
            return;
        }

        _will = null;
        long delayMs = Math.Min(will.DelayInterval, _queues.ExpirySeconds) * 1000L;
        if (delayMs > 0 && _environment.Wills.Put(key, new DueWill(_client.Info, will, NowMs + delayMs)))
        {
            return;
        }

        (MessageHeader header, byte[] stored, string address) = WillDeparture.Encode(will, NowMs);
        if (_client.Publish(_producer, header, new ReadOnlySequence<byte>(stored), 0, address) is { } refusal)
        {
            throw refusal;
        }

        if (will.Retain)
        {
            _retained.Set(
                new RetainedMessage(will.Topic, stored, header.ExpiresAtMs, _client.PublisherHash), null, 0);
        }
    }
}
