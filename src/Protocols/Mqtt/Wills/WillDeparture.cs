using System.Text;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Mqtt.Retained;
using Pillarbox.Protocols.Mqtt.Sessions;
using Pillarbox.Protocols.Mqtt.Wire;

namespace Pillarbox.Protocols.Mqtt.Wills;

/// <summary>
/// A delayed will on its way: retained first, if it is to be, then published and taken from the disk in one
/// transaction, so that it comes once whatever happens to the node meanwhile. Its steps follow one after the other, on
/// any thread.
/// </summary>
internal sealed class WillDeparture(
    MessageBroker broker, ClientKey client, DueWill due, Func<string, RetainedStore?> retained,
    Func<string, RetainedStore?> kept, Action<BrokerException?> ended)
    : IRetainWaiter
{
    private enum Step : ulong
    {
        Retained,
        Published,
        Forgotten,
    }

    private MessageHeader _header;
    private byte[] _stored = [];
    private string _address = "";
    private BrokerException? _refusal;

    /// <summary>Begins it.</summary>
    public void Begin(long nowMs)
    {
        (_header, _stored, _address) = Encode(due.Will, nowMs);
        if (Refusal() is { } refusal)
        {
            Forget(refusal);
            return;
        }

        if (!due.Will.Retain || retained(client.AddressSpace) is not { } store)
        {
            Publish();
            return;
        }

        var message = new RetainedMessage(
            due.Will.Topic, _stored, _header.ExpiresAtMs, BrokerClient.PublisherHashOf(due.Client.ClientId));
        if (!store.Set(message, this, (ulong)Step.Retained))
        {
            // There is no room for it: it is published all the same.
            Publish();
        }
    }

    /// <inheritdoc/>
    void IRetainWaiter.OnRetained(ulong tag, BrokerException? error)
    {
        switch ((Step)tag)
        {
            case Step.Retained when error is null:
                Publish();
                break;
            case Step.Forgotten:
                ended(_refusal ?? error);
                break;
            default:
                ended(error);
                break;
        }
    }

    /// <summary>A will as the broker stores it.</summary>
    public static (MessageHeader Header, byte[] Stored, string Address) Encode(WillMessage will, long nowMs)
    {
        byte[] topic = Encoding.UTF8.GetBytes(will.Topic);
        var message = new MqttMessageMap
        {
            Qos = will.Qos,
            Retain = will.Retain,
            Topic = topic,
            Properties = will.Properties,
            Payload = will.Payload,
        };
        byte[] stored = new byte[message.Bytes];
        message.Write(stored);
        var header = new MessageHeader
        {
            Durable = will.Qos > 0,
            ExpiresAtMs = will.MessageExpiry is { } seconds ? nowMs + Math.Max(1, seconds * 1000L) : 0,
            Format = PayloadFormat.Mqtt,
        };
        return (header, stored, TopicNames.ToAddress(topic));
    }

    // What its client may not publish now is not published, and not kept.
    private BrokerException? Refusal()
    {
        if (!AddressName.TryParse(_address, out AddressName name, out string? fault))
        {
            return new BrokerException(BrokerError.InvalidField, fault);
        }

        return broker.Authorizer.IsAllowed(due.Client.Identity, Permission.Send, client.AddressSpace, name)
            ? null
            : new BrokerException(BrokerError.Unauthorized, $"its user may not publish to '{_address}'");
    }

    private void Publish() => Remove(Step.Published, new PublishedAlso(due.Client, _header, _stored, _address));

    private void Forget(BrokerException refusal)
    {
        _refusal = refusal;
        Remove(Step.Forgotten, null);
    }

    private void Remove(Step step, PublishedAlso? also)
    {
        if (kept(client.AddressSpace) is not { } store
            || !store.Set(StoredWill.For(client.ClientId, null), this, (ulong)step, also))
        {
            ended(new BrokerException(BrokerError.Unavailable, "the disk takes nothing"));
        }
    }
}
