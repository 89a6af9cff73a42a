using System.Buffers;
using System.Diagnostics;
using Pillarbox.Broker;
using Pillarbox.Broker.Consumers;
using Pillarbox.Broker.Queues;
using Pillarbox.Broker.Transactions;
using Pillarbox.Model;
using Pillarbox.Storage;

namespace Pillarbox.Micro;

/// <summary>
/// The broker in this process, without sockets and protocol: publish, deliver, read and settle, in messages a second,
/// processor time and allocated bytes per message. Each client is a thread that makes passes as a connection's loop
/// does.
/// </summary>
internal static class BrokerRate
{
    private const int BodyBytes = 100;

    public static void Run(string directory, double seconds)
    {
        foreach (bool durable in (bool[])[false, true])
        {
            foreach (int pairs in (int[])[1, 4])
            {
                Directory.CreateDirectory(directory);
                Measure(directory, durable, pairs, seconds);
                Directory.Delete(directory, recursive: true);
            }
        }

        Directory.CreateDirectory(directory);
        Backlog(directory, 1_000_000);
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Queues many messages, restarts, drains them: the time of each and the memory.</summary>
    public static void Backlog(string directory, int count, int bodyBytes = 1000)
    {
        long publish;
        using (MessageBroker broker = Open(directory))
        {
            long start = Stopwatch.GetTimestamp();
            Load(broker, count, bodyBytes);
            publish = (long)(count / Stopwatch.GetElapsedTime(start).TotalSeconds);
            Console.WriteLine(
                $"backlog of {count:N0} x {bodyBytes} B: published {publish:N0}/s, {Resident()} MiB resident");
        }

        long opening = Stopwatch.GetTimestamp();
        using (MessageBroker broker = Open(directory))
        {
            double readyMs = Stopwatch.GetElapsedTime(opening).TotalMilliseconds;
            Console.WriteLine($"ready after {readyMs:F0} ms, {Resident()} MiB resident");
            long start = Stopwatch.GetTimestamp();
            Consume(broker, count);
            Console.WriteLine(
                $"drained {count / Stopwatch.GetElapsedTime(start).TotalSeconds:N0}/s, {Resident()} MiB resident");
        }
    }

    private static void Load(MessageBroker broker, int count, int bodyBytes)
    {
        Peer peer = new(broker, "loader");
        Producer producer = peer.Client.OpenProducer(new ProducerOptions { Address = "backlog" });
        int sent = 0;
        byte[] body = new byte[bodyBytes];
        while (peer.Done < count)
        {
            for (; sent < count && peer.Credit > 0; sent++, peer.Credit--)
            {
                peer.Client.Publish(
                    producer, new MessageHeader { Durable = true }, new ReadOnlySequence<byte>(body), 1);
            }

            peer.Pass();
        }

        peer.Client.Dispose();
    }

    private static void Consume(MessageBroker broker, int count)
    {
        Peer peer = new(broker, "drainer");
        peer.Consumer = peer.Client.OpenConsumer(new ConsumerOptions { Queue = "backlog" });
        peer.Client.Grant(peer.Consumer, 1000);
        while (peer.Received < count)
        {
            peer.Pass();
        }

        peer.Client.Dispose();
    }

    private static void Measure(string directory, bool durable, int pairs, double seconds)
    {
        using MessageBroker broker = Open(directory);
        using CancellationTokenSource stop = new();
        List<Thread> threads = [];
        List<Peer> receivers = [];
        for (int i = 0; i < pairs; i++)
        {
            string queue = $"q{i}";
            Peer receiver = new(broker, "receiver" + i);
            receiver.Client.CreateQueue(new QueueConfig { Name = queue, Address = queue });
            receivers.Add(receiver);
            threads.Add(new Thread(() => Receive(receiver, queue, stop.Token)));
            threads.Add(new Thread(() => Send(new Peer(broker, "sender"), queue, durable, stop.Token)));
        }

        threads.ForEach(thread => thread.Start());
        Thread.Sleep(1000);
        using Process process = Process.GetCurrentProcess();
        long before = receivers.Sum(receiver => receiver.Received);
        long allocated = GC.GetTotalAllocatedBytes();
        TimeSpan cpu = process.TotalProcessorTime;
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        process.Refresh();
        long received = receivers.Sum(receiver => receiver.Received) - before;
        Console.WriteLine(
            $"{(durable ? "durable" : "non-durable"),-12} {pairs}/{pairs}: {received / elapsed,12:N0} messages/s, "
            + $"{(process.TotalProcessorTime - cpu).TotalMicroseconds / received:F2} us CPU and "
            + $"{(GC.GetTotalAllocatedBytes() - allocated) / (double)received:F1} B allocated per message "
            + "(clients included)");
        stop.Cancel();
        threads.ForEach(thread => thread.Join());
    }

    private static void Send(Peer peer, string queue, bool durable, CancellationToken stop)
    {
        Producer producer = peer.Client.OpenProducer(new ProducerOptions { Address = queue });
        byte[] body = new byte[BodyBytes];
        while (!stop.IsCancellationRequested)
        {
            for (int i = 0; i < 256 && peer.Credit > 0; i++, peer.Credit--)
            {
                peer.Client.Publish(
                    producer, new MessageHeader { Durable = durable }, new ReadOnlySequence<byte>(body), 1);
            }

            peer.Pass();
        }

        peer.Client.Dispose();
    }

    private static void Receive(Peer peer, string queue, CancellationToken stop)
    {
        peer.Consumer = peer.Client.OpenConsumer(new ConsumerOptions { Queue = queue });
        peer.Client.Grant(peer.Consumer, 1000);
        while (!stop.IsCancellationRequested)
        {
            peer.Pass();
        }

        peer.Client.Dispose();
    }

    private static long Resident()
    {
        using Process process = Process.GetCurrentProcess();
        return process.WorkingSet64 >> 20;
    }

    private static MessageBroker Open(string directory) => MessageBroker.Open(new BrokerOptions
    {
        FileSystem = DiskFileSystem.Instance,
        DataDirectory = directory,
    });

    /// <summary>What a connection is, reduced to its thread.</summary>
    private sealed class Peer : IClientEvents, IWakeable
    {
        private readonly SemaphoreSlim _wake = new(0);
        private int _owed;

        public Peer(MessageBroker broker, string name) => Client = broker.Connect(
            new ClientInfo { Identity = Identity.Anonymous, ClientId = name, Protocol = "bench" }, this);

        public BrokerClient Client { get; }

        public Consumer? Consumer { get; set; }

        public int Credit { get; set; }

        public long Done { get; private set; }

        public long Received { get; private set; }

        public void Pass()
        {
            Client.Flush();
            if (!Client.HasEvents && Credit == 0)
            {
                _wake.Wait(20);
            }

            Client.DrainInbox(this);
        }

        public void Wake()
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }

        public void OnDelivery(in Delivery delivery)
        {
            if (!Client.TryRead(delivery, out MessageLease lease))
            {
                lease = Client.ReadAsync(delivery, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }

            lease.Dispose();
            Client.Settle(delivery, Outcome.Accepted);
            Received++;
            if (++_owed == 250)
            {
                Client.Grant(Consumer!, _owed);
                _owed = 0;
            }
        }

        public void OnPublished(Producer producer, ulong tag, BrokerException? error) => Done++;

        public void OnProducerCredit(Producer producer, int credit) => Credit += credit;

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
}
