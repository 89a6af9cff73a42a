using System.Buffers;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Management;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Broker.Tests.Consumers;

/// <summary>Connections that ask when something is durable, while the log's own thread makes it so.</summary>
public sealed class DurableWaitTests
{
    private const int Clients = 4;
    private const int MessagesEach = 60_000;

    /// <summary>What was not durable at the first look and was at the second ended a connection.</summary>
    [Fact]
    public async Task The_disk_may_be_done_between_two_looks()
    {
        using MessageBroker broker = MessageBroker.Open(
            new BrokerOptions { FileSystem = new MemoryFileSystem(), DataDirectory = "data" });

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => Task.Run(() =>
        {
            using var loop = new PublishingLoop(broker, $"q{i}");
            loop.Run(MessagesEach);
        })));

        IReadOnlyList<QueueView> queues = await broker.Management.ListQueuesAsync(Identity.Node, "default");
        Assert.Equal(
            Enumerable.Repeat<long>(MessagesEach, Clients),
            queues.Where(q => q.Config.Name.StartsWith('q')).Select(q => q.MessageCount));
    }

    /// <summary>Publishes little at a time and looks again at once.</summary>
    private sealed class PublishingLoop : IClientEvents, IWakeable, IDisposable
    {
        private const int BatchMax = 3;
        private readonly SemaphoreSlim _woken = new(0);
        private readonly BrokerClient _client;
        private readonly Producer _producer;
        private int _published;
        private int _credit;

        public PublishingLoop(MessageBroker broker, string address)
        {
            _client = broker.Connect(
                new ClientInfo { Identity = Identity.Node, ClientId = address, Protocol = "test" }, this);
            _producer = _client.OpenProducer(new ProducerOptions { Address = address });
        }

        public void Run(int messages)
        {
            var payload = new ReadOnlySequence<byte>(new byte[10]);
            var header = new MessageHeader { Durable = true, Format = PayloadFormat.Amqp };
            int sent = 0;
            while (_published < messages)
            {
                for (int i = 0; i < BatchMax && sent < messages && _credit > 0; i++, _credit--)
                {
                    _client.Publish(_producer, header, payload, (ulong)++sent);
                }

                _client.Flush();
                bool more = _client.DrainInbox(this);
                bool waits = _published < messages && (sent == messages || _credit == 0);
                if (waits && !more && !_client.HasEvents)
                {
                    _woken.Wait();
                }
            }
        }

        public void Wake()
        {
            if (_woken.CurrentCount == 0)
            {
                _woken.Release();
            }
        }

        public void OnPublished(Producer producer, ulong tag, BrokerException? error)
        {
            Assert.Null(error);
            Assert.Equal((ulong)++_published, tag);
        }

        public void OnProducerCredit(Producer producer, int credit) => _credit += credit;

        public void Dispose()
        {
            _client.Dispose();
            _woken.Dispose();
        }

        public void OnDelivery(in Delivery delivery) => Assert.Fail("nobody consumes");

        public void OnDrained(Consumer consumer, int unusedCredit) => Assert.Fail("nobody consumes");

        public void OnSettled(ulong tag) => Assert.Fail("nobody settles");

        public void OnDischarged(Transaction transaction, ulong tag, BrokerException? error) =>
            Assert.Fail("there is no transaction");

        public void OnConsumerClosed(Consumer consumer, BrokerException reason) => Assert.Fail("nobody consumes");

        public void OnProducerClosed(Producer producer, BrokerException reason) => Assert.Fail(reason.Message);

        public void OnCloseRequested(BrokerException reason) => Assert.Fail(reason.Message);
    }
}
