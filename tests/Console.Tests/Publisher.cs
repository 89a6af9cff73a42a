using System.Buffers;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;

namespace Pillarbox.ConsoleApi.Tests;

/// <summary>Publishes within the process and waits until the broker has each message on its disk.</summary>
internal sealed class Publisher : IClientEvents, IWakeable, IDisposable
{
    private readonly SemaphoreSlim _woken = new(0);
    private readonly BrokerClient _client;
    private ulong _published;

    public Publisher(MessageBroker broker, Identity? who = null) => _client = broker.Connect(
        new ClientInfo { Identity = who ?? Identity.Node, ClientId = "publisher", Protocol = "test" }, this);

    public Task PublishAsync(string address, params byte[][] payloads) =>
        PublishAsync(address, new MessageHeader { Durable = true, Format = PayloadFormat.Amqp }, payloads);

    public async Task PublishAsync(string address, MessageHeader header, params byte[][] payloads)
    {
        Producer producer = _client.OpenProducer(new ProducerOptions { Address = address });
        ulong tag = _published;
        foreach (byte[] payload in payloads)
        {
            _client.Publish(producer, header, new ReadOnlySequence<byte>(payload), ++tag);
        }

        _client.Flush();
        while (_published < tag)
        {
            await _woken.WaitAsync(TimeSpan.FromMilliseconds(20));
            _client.DrainInbox(this);
        }
    }

    public void OnPublished(Producer producer, ulong tag, BrokerException? error) =>
        _published = error is null ? tag : throw error;

    public void Wake() => _woken.Release();

    public void Dispose()
    {
        _client.Dispose();
        _woken.Dispose();
    }

    public void OnDelivery(in Delivery delivery)
    {
    }

    public void OnProducerCredit(Producer producer, int credit)
    {
    }

    public void OnDrained(Consumer consumer, int unusedCredit)
    {
    }

    public void OnSettled(ulong tag)
    {
    }

    public void OnDischarged(Transaction transaction, ulong tag, BrokerException? error)
    {
    }

    public void OnConsumerClosed(Consumer consumer, BrokerException reason)
    {
    }

    public void OnProducerClosed(Producer producer, BrokerException reason)
    {
    }

    public void OnCloseRequested(BrokerException reason)
    {
    }
}
